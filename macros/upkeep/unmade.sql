{# What no model makes any more and consumers may still read: the relations of the records that are not retired. Each is what
   describe_relation gives, with {records, current}. A relation that any model, seed or snapshot makes now is not among them. #}
{% macro unmade_ports() %}
  {% set found = [] %}
  {% if not load_relation(portmesh.record_table('publications')) %}{{ return(found) }}{% endif %}
  {% set names = portmesh.query('select distinct reads_as from ' ~ portmesh.record_table('publications') ~ ' where reads_as is not null order by 1').columns[0].values() %}
  {% set others = [] %}
  {% for name in names %}
    {% set port = portmesh.describe_relation(name) %}
    {% if not portmesh.is_made(port) %}{% do others.append(port) %}{% endif %}
  {% endfor %}
  {% set records = portmesh.attempts_of(others) if others else {} %}
  {% for port in others if records[port.reads_as][0]['verdict'] != 'retired' %}
    {% set attempts = records[port.reads_as] %}
    {% do found.append(dict(port, records=attempts, current=portmesh.version_chain(attempts) | first)) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# Whether a model, seed or snapshot of the mesh makes what stands at the port's name. #}
{% macro is_made(port) %}
  {{- return((port.relation.schema ~ '.' ~ port.alias) | lower in portmesh.tables_by_name()) -}}
{% endmacro %}

{# The newest contract that the records have of a port. #}
{% macro _last_contract(records) %}
  {% for record in records if record.contract %}{{ return(fromjson(record.contract)) }}{% endfor %}
  {{ return({}) }}
{% endmacro %}

{# As `portmesh status` tells it. #}
{% macro unmade_facts() %}
  {% set facts = [] %}
  {% for port in portmesh.unmade_ports() %}
    {% set contract = portmesh._last_contract(port.records) %}
    {% do facts.append({
        'relation': port.reads_as, 'where': port.relation.schema ~ '.' ~ port.alias,
        'row_count': port.current.row_count | int if port.current else none,
        'published_at': port.current.attempted_at.isoformat() if port.current else none,
        'last_made_at': port.records[0].attempted_at.isoformat(),
        'goes_on_as': contract.goes_on_as or none,
        'deprecation_date': contract.deprecation_date or none,
    }) %}
  {% endfor %}
  {{ return(facts) }}
{% endmacro %}
