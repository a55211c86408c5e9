{# A hash of all checks of a port, which changes whenever one of them changes. #}
{% macro definitions_of(checks) %}
  {%- set texts = [] -%}
  {%- for check in checks -%}{%- do texts.append(check.id ~ ' ' ~ check.definition) -%}{%- endfor -%}
  {{- return(local_md5(texts | sort | join('\n'))) -}}
{% endmacro %}
