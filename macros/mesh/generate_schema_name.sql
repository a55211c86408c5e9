{% macro generate_schema_name(custom_schema_name, node) %}
  {%- set is_port = node.resource_type == 'model' and portmesh.is_in_port_folder(node) -%}
  {%- set schema = node.package_name if is_port else node.package_name ~ '__internal' -%}
  {{- return(environment_schema(schema)) -}}
{% endmacro %}
