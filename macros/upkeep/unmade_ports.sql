{# Published ports that no model, seed or snapshot builds any more and that are not retired, so consumers may still read
   them. Each is the result of describe_relation with {records, current, contract} added; the contract is the newest
   recorded one. #}
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
