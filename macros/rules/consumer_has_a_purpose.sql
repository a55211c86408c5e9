{# PM105. Expired access is not a finding: assert_may_read stops only the consumer's own nodes. #}
{% macro consumer_has_a_purpose(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() %}
    {% for consumer in portmesh.consumers_of(port) %}
      {% for key in ['name', 'purpose'] if not (consumer[key] is string and consumer[key] | trim) %}
        {% do findings.append(portmesh.finding('PM105', port,
            'A consumer of ' ~ portmesh.label_of(port) ~ (' (' ~ consumer.name ~ ')' if consumer.name)
            ~ ' has no ' ~ key ~ '.',
            'Give each consumer a name and a purpose')) %}
      {% endfor %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
