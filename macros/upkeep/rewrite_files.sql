{# Rewrites an Iceberg port for `portmesh maintain`, which decides from the table's metadata: the same rows in fewer,
   larger files, and fewer manifests (only on Spark; Athena does that by itself). #}
{% macro rewrite_files(port, compact, manifests) %}
  {% set port = portmesh.find_port(port) %}
  {% if compact %}{% do portmesh.engine_macro('compact')(port) %}{% endif %}
  {% if manifests %}{% do portmesh.engine_macro('rewrite_manifests')(port) %}{% endif %}
{% endmacro %}
