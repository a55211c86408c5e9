{# The contract's columns, quoted and separated by commas. #}
{% macro column_list(port) %}
  {{- return(portmesh.quoted_names(port.columns | map(attribute='name')) | join(', ')) -}}
{% endmacro %}
