{# The contract's columns, quoted, with commas between. #}
{% macro column_list(port) %}
  {{- return(portmesh.quoted_names(port.columns | map(attribute='name')) | join(', ')) -}}
{% endmacro %}
