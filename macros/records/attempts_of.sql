{# {port's relation: its records, newest first, back to the one that retired it}. Reads only the table of the port's own
   domain. Records of an earlier Portmesh version are found by the node's id. If a build and a maintenance have the same
   number, the build is newer, because it was published after the maintenance looked. #}
{% macro attempts_of(ports) %}
  {% set found, by_id, selects = {}, {}, [] %}
  {% for port in ports %}
    {% do found.update({port.reads_as: []}) %}
    {% do by_id.update({port.id: port.reads_as}) %}
  {% endfor %}
  {% for product, of_product in ports | groupby('product') if portmesh.has_records(product) %}
    {% do selects.append(portmesh._select_attempts(product, of_product)) %}
  {% endfor %}
  {% set query = 'select * from (\n' ~ selects | join('\nunion all\n')
      ~ '\n) as attempts order by coalesce(sequence, 0) desc, verdict = \'maintained\', attempted_at desc' %}
  {% for row in (portmesh.query(query).rows if selects else []) %}
    {% set records = found[row['reads_as'] or by_id[row['port_id']]] %}
    {% if not records or records[-1]['verdict'] != 'retired' %}{% do records.append(row) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro _select_attempts(product, ports) %}
  {% set names = portmesh.literal_row(ports | map(attribute='reads_as')) %}
  {% set ids = portmesh.literal_row(ports | map(attribute='id')) %}
  {{ return(
      'select port_id, invocation_id, version, base, replaces, kind, verdict, row_count, attempted_at, snapshot_id,'
      ~ ' contract_version, definitions, findings, reads_as, sequence, contract from '
      ~ portmesh.records_of('publications', product)
      ~ ' where reads_as in ' ~ names ~ ' or (reads_as is null and port_id in ' ~ ids ~ ')') }}
{% endmacro %}
