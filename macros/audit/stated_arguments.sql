{# What a check's YAML says beside the column that it stands at. #}
{% macro stated_arguments(check) %}
  {% set stated = {} %}
  {% for name, value in check.arguments.items() if name not in ['model', 'column_name'] and value is not none %}
    {% do stated.update({name: value}) %}
  {% endfor %}
  {{ return(stated) }}
{% endmacro %}
