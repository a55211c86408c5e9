{# The unknown keys in `config.meta` of a node's columns; `of` is what known_keys calls such a column. #}
{% macro unknown_keys_of_columns(node, of) %}
  {% set problems, known = [], portmesh.known_keys(of) %}
  {% for column in node.columns.values() if portmesh.meta_of(column) %}
    {% set where = 'config.meta of the column ' ~ column.name %}
    {% do problems.extend(portmesh.unknown_keys(where, portmesh.meta_of(column), known)) %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}
