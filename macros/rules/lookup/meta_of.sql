{# The keys below config.meta. In YAML 1.1, which dbt reads, a key `on` without quotes is true. #}
{% macro meta_of(node) %}
  {%- set meta = node.config.meta or {} -%}
  {%- if true in meta -%}
    {%- set meta = dict(meta, on=meta[true]) -%}
    {%- do meta.pop(true) -%}
  {%- endif -%}
  {{- return(meta) -}}
{% endmacro %}
