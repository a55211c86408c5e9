{% macro versions_to_keep(node) %}
  {{- return((node.config.meta or {}).get('keep_versions', 2)) -}}
{% endmacro %}

{# Drops what neither the kept versions nor the candidate at hand need: older versions, leftovers of broken runs. #}
{% macro drop_superseded_versions(port) %}
  {% set needed = [port.version] %}
  {% for version in portmesh.published_versions(port)[:portmesh.versions_to_keep(port.node)] %}
    {% do needed.extend([version.version, version.base, version.version ~ '__replaced']) %}
  {% endfor %}
  {% for name in portmesh.list_versions(port) if name not in needed %}
    {% do portmesh.drop_version(port, name) %}
  {% endfor %}
{% endmacro %}
