{# The names of the tables that the kept versions use; `versions` is the chain of published versions. #}
{% macro needed_versions(port, versions) %}
  {% set needed = [] %}
  {% for version in versions[:portmesh.versions_to_keep(port.node)] %}
    {% do needed.extend([version.version, version.base, version.version ~ '__replaced']) %}
  {% endfor %}
  {{ return(needed) }}
{% endmacro %}
