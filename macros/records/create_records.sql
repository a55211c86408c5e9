{# Creates the record tables before any port runs. If each port created its domain's tables itself, parallel ports would
   conflict. #}
{% macro create_records() %}
  {%- if not execute or not portmesh.runs_hooks() -%}{{- return('') -}}{%- endif -%}
  {%- set products, schemas = [], ['portmesh'] -%}
  {%- for id in selected_resources if graph.nodes.get(id, {}).get('config', {}).get('materialized') == 'output_port' -%}
    {%- do products.append(graph.nodes[id].package_name) -%}
  {%- endfor -%}
  {%- for product in products | unique -%}{%- do schemas.append(product ~ '__internal') -%}{%- endfor -%}
  {{- return(portmesh.make_records(schemas, portmesh.record_tables(products | unique | list))) -}}
{% endmacro %}
