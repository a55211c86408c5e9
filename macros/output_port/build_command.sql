{# The dbt command that builds a port, or another model, with current rows and current SQL, and everything downstream.
   It names the models before it: a table holds the rows of its last build, and a view its SQL. #}
{% macro build_command(node, option=none) %}
  {% set names = portmesh.models_before(node) + [portmesh.selector_of(node) ~ '+'] %}
  {{ return('dbt build ' ~ (option ~ ' ' if option) ~ '--select ' ~ names | join(' ')) }}
{% endmacro %}
