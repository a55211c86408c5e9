{# {check id: {definition, failures}} as measured on the version that consumers read. If its record says that all of
   today's checks found no failures, no query is needed. #}
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
