{# Before the ports run: each would create these tables itself, and several at once would get in each other's way. #}
{% macro create_records() %}
  {%- if not execute or not portmesh.runs_hooks() -%}{{- return('') -}}{%- endif -%}
  {%- set schemas = ['portmesh'] -%}
  {%- for id in selected_resources if graph.nodes.get(id, {}).get('config', {}).get('materialized') == 'output_port' -%}
    {%- do schemas.append(graph.nodes[id].package_name ~ '__internal') -%}
  {%- endfor -%}
  {{- return(portmesh.make_records(schemas | unique | list, portmesh.record_columns())) -}}
{% endmacro %}
