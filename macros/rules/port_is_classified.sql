{# PM103 #}
{% macro port_is_classified(mesh) %}
  {% set findings = [] %}
  {% set allowed = portmesh.allowed_values('classification') %}
  {% for port in mesh.ports.values() %}
    {% set meta = portmesh.meta_of(port) %}
    {% set label = portmesh.label_of(port) %}
    {% if meta.classification not in allowed %}
      {% set got = 'the classification ' ~ meta.classification if meta.classification else 'no classification' %}
      {% do findings.append(portmesh.finding('PM103', port, label ~ ' has ' ~ got ~ '.',
          'Set config.meta.classification to one of ' ~ allowed | join(', '))) %}
    {% endif %}
    {% if not modules.re.match('^\\d+\\.\\d+\\.\\d+$', meta.version | string) %}
      {% set got = 'the version ' ~ meta.version if meta.version else 'no version' %}
      {% do findings.append(portmesh.finding('PM103', port, label ~ ' has ' ~ got ~ '.',
          'Set config.meta.version to three numbers, such as 1.0.0')) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
