{# Drops versions that `mesh_status` listed: {port label: [names]}. What a version is made of goes as a name only;
   its files may be those of the port, and go by maintenance. #}
{% macro clean(versions) %}
  {% for port in portmesh.all_ports() %}
    {% for name in versions.get(port.label, []) %}{% do portmesh.drop_version(port, name) %}{% endfor %}
  {% endfor %}
  {{ adapter.commit() }}
{% endmacro %}
