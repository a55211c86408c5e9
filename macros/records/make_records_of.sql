{# Creates the tables for a domain's records if they are missing. Operations need this, because only a run creates them
   at its start. #}
{% macro make_records_of(product) %}
  {% set missing = portmesh.record_tables([product]) | rejectattr('exists') | list %}
  {% set sql = portmesh.make_records(['portmesh'], missing) if missing else '' %}
  {% if sql and sql | trim %}{% do portmesh.execute_sql(sql) %}{% endif %}
{% endmacro %}
