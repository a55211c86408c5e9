{# The columns that identify a row: the primary key, or else the unique_key. #}
{% macro contract_key(port) %}
  {% for constraint in port.node.constraints or [] if constraint.type == 'primary_key' %}
    {{ return(constraint.columns or []) }}
  {% endfor %}
  {% set key = [] %}
  {% for column in port.columns if 'primary_key' in (column.constraints or []) | map(attribute='type') %}
    {% do key.append(column.name) %}
  {% endfor %}
  {{ return(key or port.unique_key) }}
{% endmacro %}
