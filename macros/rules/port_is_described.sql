{# PM101 #}
{% macro port_is_described(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() %}
    {% set missing = [] %}
    {% if not (port.description or '') | trim %}{% do missing.append('no description') %}{% endif %}
    {% if not port.config.contract.enforced %}{% do missing.append('no enforced contract') %}{% endif %}
    {% if not port.columns %}{% do missing.append('no columns') %}{% endif %}
    {% for key in ['data_type', 'description'] %}
      {% set names = [] %}
      {% for column in port.columns.values() if not (column[key] or '') | trim %}
        {% do names.append(column.name) %}
      {% endfor %}
      {% if names %}{% do missing.append('no ' ~ key ~ ' for ' ~ names | join(', ')) %}{% endif %}
    {% endfor %}
    {% if missing %}
      {% do findings.append(portmesh.finding('PM101', port,
          portmesh.label_of(port) ~ ' has ' ~ missing | join('; ') ~ '.',
          'Say what one row is and what a reader cannot guess, and give every column a data_type')) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
