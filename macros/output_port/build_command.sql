{# The dbt command that publishes a port with current rows and current SQL, and builds everything downstream. It names
   the models before the port: a table holds the rows of its last build, and a view its SQL. #}
{% macro build_command(port, option=none) %}
  {% set names = portmesh.models_before(port.node) + [port.node.name ~ '+'] %}
  {{ return('dbt build ' ~ (option ~ ' ' if option) ~ '--select ' ~ names | join(' ')) }}
{% endmacro %}
