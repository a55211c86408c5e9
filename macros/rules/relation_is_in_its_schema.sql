{# PM118: generate_schema_name sets the schema of every node, but a snapshot's target_schema overrides it. There, a
   table named like a version of a port could replace that version, which consumers read. #}
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
  {% set of_version = modules.re.compile('(?i).*' ~ portmesh.version_pattern()) %}
  {% for node in mesh.relations.values() | list + mesh.tests if of_version.match(node.alias) %}
    {% do findings.append(portmesh.finding('PM118', node,
        'The ' ~ portmesh.kind_of(node) ~ ' ' ~ portmesh.label_of(node) ~ ' has the name of a version of a port: '
        ~ node.alias ~ '.',
        'Give it a different name', portmesh.file_of(node))) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
