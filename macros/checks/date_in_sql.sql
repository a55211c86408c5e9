{# YAML reads 2017-01-01 without quotes as a date: as SQL it is a date on every engine. Any other value stays. #}
{% macro date_in_sql(value) %}
  {%- if value is string or value.isoformat is not defined -%}{{- return(value) -}}{%- endif -%}
  {{- return(('timestamp' if value.hour is defined else 'date') ~ " '" ~ value ~ "'") -}}
{% endmacro %}
