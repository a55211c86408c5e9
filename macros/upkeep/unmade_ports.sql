{# What no model makes any more and consumers may still read: the relations of the records that are not retired. Each
   is what describe_relation gives, with {records, current, contract}, the contract being the newest that the records
   have. A relation that any model, seed or snapshot makes now is not among them. #}
{% macro unmade_ports() %}
  {% set found, others = [], [] %}
  {% set names = 'select distinct reads_as, lower(product) from (\n' ~ portmesh.all_records('publications')
      ~ '\n) as recorded where reads_as is not null order by 1' %}
  {% for name, product in portmesh.query(names).rows %}
    {% set port = portmesh.describe_relation(name) %}
    {% if port.product | lower == product and not portmesh.is_made(port) %}{% do others.append(port) %}{% endif %}
  {% endfor %}
  {% set attempts = portmesh.attempts_of(others) if others else {} %}
  {% for port in others if attempts[port.reads_as][0]['verdict'] != 'retired' %}
    {% set records = attempts[port.reads_as] %}
    {% set contract = fromjson(records | map(attribute='contract') | select | first or '{}') %}
    {% set current = portmesh.version_chain(records) | first %}
    {% do found.append(dict(port, records=records, current=current, contract=contract)) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
