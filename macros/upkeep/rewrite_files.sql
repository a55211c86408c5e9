{# What `portmesh maintain` has an engine do with an Iceberg port, once it has looked at the table's metadata: the
   same rows in fewer and larger files, and fewer manifests (Spark; Athena does it on its own). #}
{% macro rewrite_files(port, compact, manifests) %}
  {% set port = portmesh.find_port(port) %}
  {% if compact %}{% do portmesh.engine_macro('compact')(port) %}{% endif %}
  {% if manifests %}{% do portmesh.engine_macro('rewrite_manifests')(port) %}{% endif %}
{% endmacro %}
