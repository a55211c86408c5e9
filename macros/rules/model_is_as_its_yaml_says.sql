{# PM126: `portmesh models` writes the SQL of a port in YAML alone (config.meta.model). Someone who edits only one of
   the two would build something else than the YAML says. #}
{% macro model_is_as_its_yaml_says(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() if not portmesh.is_stub(port) %}
    {% set problem, fix = portmesh._problem_of_yaml_port(port) %}
    {% if problem %}
      {% do findings.append(portmesh.finding('PM126', port, portmesh.label_of(port) ~ ' ' ~ problem, fix)) %}
    {% endif %}
  {% endfor %}
  {{ return(findings + portmesh._yaml_ports_without_sql(mesh)) }}
{% endmacro %}

{% macro _problem_of_yaml_port(port) %}
  {% set block = portmesh.meta_of(port).get('model') %}
  {% set first_lines = '-- Made by portmesh models from .*\n-- .*\n-- Fingerprint: (\\w+)\n' %}
  {% set header = modules.re.match(first_lines, port.raw_code) %}
  {% if block is none and not header %}{{ return(['', '']) }}{% endif %}
  {% if block is none %}
    {{ return(['has SQL that was made from YAML, but its YAML has no config.meta.model any more.',
        'Remove the first three lines of the SQL file, or restore the block']) }}
  {% endif %}
  {% if not header %}
    {{ return(['has config.meta.model and SQL that was not made from it.',
        'Delete the SQL file and run portmesh models, or remove the block']) }}
  {% endif %}
  {% set columns = [] %}
  {% for column in port.columns.values() %}{% do columns.append([column.name, column.data_type or '']) %}{% endfor %}
  {% set parts = [tojson(block, sort_keys=true), tojson(columns), port.raw_code[header.end():] | trim] %}
  {% if local_md5(parts | join('\n')) != header.group(1) %}
    {{ return(['has SQL that is not what its YAML says.', 'Run portmesh models']) }}
  {% endif %}
  {{ return(['', '']) }}
{% endmacro %}

{# dbt only warns about the YAML of a model that has no SQL. #}
{% macro _yaml_ports_without_sql(mesh) %}
  {% set findings, names = [], [] %}
  {% for model in mesh.models %}{% do names.append(model.package_name ~ '.' ~ model.name) %}{% endfor %}
  {% for id, file in mesh.files.items() if file.dict_from_yaml is defined and file.dict_from_yaml %}
    {% set domain = id.split('://')[0] %}
    {% for entry in file.dict_from_yaml.get('models') or [] if domain in mesh.domains %}
      {% set has_block = ((entry.get('config') or {}).get('meta') or {}).get('model') is not none %}
      {% if has_block and domain ~ '.' ~ entry.name not in names %}
        {% do findings.append(portmesh.finding('PM126', mesh.domains[domain] or entry,
            domain ~ '.' ~ entry.name ~ ' has config.meta.model, but its SQL is not written.', 'Run portmesh models',
            'domains/' ~ domain ~ '/' ~ id.split('://')[1])) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
