{# Column names as dbt writes them in a check's SQL: quoted only if the contract has `quote: true`. #}
{% macro columns_in_sql(port, names) %}
  {%- set texts = [] -%}
  {%- for name in names -%}
    {%- do texts.append(adapter.quote(name) if port.node.columns.get(name, {}).get('quote') else name) -%}
  {%- endfor -%}
  {{- return(texts) -}}
{% endmacro %}
