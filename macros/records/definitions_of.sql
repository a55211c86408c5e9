{# One text for all checks of a port: it is another as soon as one of them is. #}
{% macro definitions_of(checks) %}
  {%- set texts = [] -%}
  {%- for check in checks -%}{%- do texts.append(check.id ~ ' ' ~ check.definition) -%}{%- endfor -%}
  {{- return(local_md5(texts | sort | join('\n'))) -}}
{% endmacro %}
