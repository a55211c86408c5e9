{# {check id: {definition, failures}} of the checks as they were measured on the version that consumers read. Nothing is
   asked where its record tells that all of today's checks found nothing. #}
{% macro measured_before(port, checks, current) %}
  {% set measured = {} %}
  {% if not current %}{{ return(measured) }}{% endif %}
  {% if current.definitions == portmesh.definitions_of(checks) and current.findings == 0 %}
    {% for check in checks %}
      {% do measured.update({check.id: {'definition': check.definition, 'failures': 0}}) %}
    {% endfor %}
    {{ return(measured) }}
  {% endif %}
  {% set query %}
    select check_id, definition, failures
    from {{ portmesh.records_of('measurements', port.product) }}
    where version = {{ portmesh.text_literal(current.version) }}
    order by measured_at
  {% endset %}
  {% for row in portmesh.query(query).rows %}{% do measured.update({row['check_id']: row.dict()}) %}{% endfor %}
  {{ return(measured) }}
{% endmacro %}
