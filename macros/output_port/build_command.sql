{# The dbt command that publishes a port with current rows and builds everything downstream. It also rebuilds tables and
   snapshots upstream, which otherwise still hold the rows of their last build. #}
{% macro build_command(port, option=none, also=[]) %}
  {% set names = also + portmesh.stored_before(port.node) + [port.node.name ~ '+'] %}
  {{ return('dbt build ' ~ (option ~ ' ' if option) ~ '--select ' ~ names | join(' ')) }}
{% endmacro %}
