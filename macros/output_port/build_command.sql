{# The dbt command that publishes a port with the rows of now, and what follows it. A table or a snapshot before the
   port holds the rows of its last build, so it is built again too. #}
{% macro build_command(port, option=none, also=[]) %}
  {% set names = also + portmesh.stored_before(port.node) + [port.node.name ~ '+'] %}
  {{ return('dbt build ' ~ (option ~ ' ' if option) ~ '--select ' ~ names | join(' ')) }}
{% endmacro %}
