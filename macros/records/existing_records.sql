{# Names of the tables in the schema of the records, which a run asks for once; none while dbt parses. Where the run has
   no right to ask, it ends with the engine's error: no records are another thing. #}
{% macro existing_records() %}
  {% if not execute or not flags.INTROSPECT %}{{ return([]) }}{% endif %}
  {% set known = graph.setdefault('portmesh_records', {}) %}
  {% if invocation_id not in known %}
    {% set place = environment_schema('portmesh') %}
    {% do known.update({invocation_id: portmesh.tables_in(place) if place in portmesh.existing_schemas() else []}) %}
  {% endif %}
  {{ return(known[invocation_id]) }}
{% endmacro %}
