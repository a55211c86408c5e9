{# The names of the tables in the schema of the records, read once in a run; empty while dbt parses. If the run may not
   list them, it fails with the engine's error, because missing rights must not look like missing records. #}
{% macro existing_records() %}
  {% if not execute or not flags.INTROSPECT %}{{ return([]) }}{% endif %}
  {% set known = graph.setdefault('portmesh_records', {}) %}
  {% if invocation_id not in known %}
    {% set place = environment_schema('portmesh') %}
    {% do known.update({invocation_id: portmesh.tables_in(place) if place in portmesh.existing_schemas() else []}) %}
  {% endif %}
  {{ return(known[invocation_id]) }}
{% endmacro %}
