{# Names as a check's SQL has them: quoted where the contract says `quote: true`. #}
{% macro columns_in_sql(port, names) %}
  {%- set texts = [] -%}
  {%- for name in names -%}
    {%- do texts.append(adapter.quote(name) if port.node.columns.get(name, {}).get('quote') else name) -%}
  {%- endfor -%}
  {{- return(texts) -}}
{% endmacro %}
