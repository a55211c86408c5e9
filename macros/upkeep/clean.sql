{# Drops versions that `mesh_status` listed: {port label: [names]}. It drops only their names, because the port may
   still use their files; `portmesh maintain` deletes files that nothing uses. #}
{% macro clean(versions) %}
  {% for port in portmesh.all_ports() %}
    {% for name in versions.get(port.label, []) %}{% do portmesh.drop_version(port, name) %}{% endfor %}
  {% endfor %}
  {{ adapter.commit() }}
{% endmacro %}
