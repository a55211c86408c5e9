{% macro query_comment(node) %}
  {%- set tags = {'app': 'portmesh', 'run': invocation_id, 'target': target.name} -%}
  {%- if node is not none -%}
    {%- do tags.update({'domain': node.package_name, 'product': node.package_name, 'node': node.unique_id}) -%}
    {%- if node.config.materialized == 'output_port' -%}
      {%- do tags.update({'port': node.package_name ~ '.' ~ node.name}) -%}
    {%- endif -%}
  {%- endif -%}
  {{- return(tojson(tags)) -}}
{% endmacro %}
