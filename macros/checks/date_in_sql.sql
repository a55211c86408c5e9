{# YAML reads an unquoted 2017-01-01 as a date, which becomes a date literal in SQL. Other values do not change. #}
{% macro date_in_sql(value) %}
  {%- if value is string or value.isoformat is not defined -%}{{- return(value) -}}{%- endif -%}
  {{- return(('timestamp' if value.hour is defined else 'date') ~ " '" ~ value ~ "'") -}}
{% endmacro %}
