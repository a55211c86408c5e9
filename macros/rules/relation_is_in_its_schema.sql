{# PM118: generate_schema_name sets the schema of every node, but a snapshot's target_schema overrides it. #}
{% macro relation_is_in_its_schema(mesh) %}
  {% set findings = [] %}
  {% for node in mesh.relations.values() if node.package_name in mesh.domains %}
    {% set own = portmesh.generate_schema_name(none, node) | trim %}
    {% if node.schema | lower != own | lower %}
      {% do findings.append(portmesh.finding('PM118', node,
          'The ' ~ portmesh.kind_of(node) ~ ' ' ~ portmesh.label_of(node) ~ ' would be written to '
          ~ node.schema ~ '.' ~ node.alias ~ ', but ' ~ node.package_name ~ ' may write it only to ' ~ own ~ '.',
          'Remove its target_schema', portmesh.file_of(node))) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
