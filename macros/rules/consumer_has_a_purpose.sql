{# PM105: that a consumer's time is over stops what it builds (assert_may_read), not the run. #}
{% macro consumer_has_a_purpose(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() %}
    {% for consumer in portmesh.consumers_of(port) %}
      {% for key in ['name', 'purpose'] if not (consumer[key] is string and consumer[key] | trim) %}
        {% do findings.append(portmesh.finding('PM105', port,
            'A consumer of ' ~ portmesh.label_of(port) ~ (' (' ~ consumer.name ~ ')' if consumer.name)
            ~ ' has no ' ~ key ~ '.',
            'Write who reads the port and what for')) %}
      {% endfor %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
