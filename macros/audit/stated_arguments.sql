{# The arguments that a check's YAML sets, without its column. #}
{% macro stated_arguments(check) %}
  {% set stated = {} %}
  {% for name, value in check.arguments.items() if name not in ['model', 'column_name'] and value is not none %}
    {% do stated.update({name: value}) %}
  {% endfor %}
  {{ return(stated) }}
{% endmacro %}
