{# PM105 #}
{% macro consumer_has_a_purpose(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() %}
    {% set label = portmesh.label_of(port) %}
    {% for consumer in portmesh.consumers_of(port) %}
      {% for key in ['name', 'purpose'] if not (consumer[key] is string and consumer[key] | trim) %}
        {% do findings.append(portmesh.finding('PM105', port,
            'A consumer of ' ~ label ~ (' (' ~ consumer.name ~ ')' if consumer.name) ~ ' has no ' ~ key ~ '.',
            'Write who reads the port and what for')) %}
      {% endfor %}
      {% if consumer.until and portmesh.is_date(consumer.until) and consumer.until | string < portmesh.today_utc() %}
        {% do findings.append(portmesh.finding('PM105', port,
            'The time of ' ~ consumer.name ~ ' as a consumer of ' ~ label ~ ' was over on ' ~ consumer.until ~ '.',
            'Agree on a new date if the purpose still holds, else take the consumer out')) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
