{% macro quoted_names(names) %}
  {%- set quoted = [] -%}
  {%- for name in names -%}{%- do quoted.append(adapter.quote(name)) -%}{%- endfor -%}
  {{- return(quoted) -}}
{% endmacro %}
