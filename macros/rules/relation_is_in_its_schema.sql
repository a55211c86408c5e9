{# PM118: generate_schema_name gives every node its schema, but a snapshot's target_schema goes past it. #}
{% macro relation_is_in_its_schema(mesh) %}
  {% set findings = [] %}
  {% for node in mesh.relations.values() if node.package_name in mesh.domains %}
    {% set own = portmesh.generate_schema_name(none, node) | trim %}
    {% if node.schema | lower != own | lower %}
      {% do findings.append(portmesh.finding('PM118', node,
          'The ' ~ portmesh.kind_of(node) ~ ' ' ~ portmesh.label_of(node) ~ ' would be written to '
          ~ node.schema ~ '.' ~ node.alias ~ '; what ' ~ node.package_name ~ ' builds stands in ' ~ own ~ '.',
          'Take its target_schema out', portmesh.file_of(node))) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
