{# {port's relation: its records, the newest first, down to the one that retired it}. Records of an earlier release
   go by the node's id. #}
{% macro attempts_of(ports) %}
  {% set names, ids, found, by_id = [], [], {}, {} %}
  {% for port in ports %}
    {% do names.append(portmesh.text_literal(port.reads_as)) %}
    {% do ids.append(portmesh.text_literal(port.id)) %}
    {% do found.update({port.reads_as: []}) %}
    {% do by_id.update({port.id: port.reads_as}) %}
  {% endfor %}
  {% set query %}
    select port_id, invocation_id, version, base, replaces, kind, verdict, row_count, attempted_at, snapshot_id,
      contract_version, definitions, findings, reads_as, sequence, contract
    from {{ portmesh.record_table('publications') }}
    where reads_as in ({{ names | join(', ') }}) or (reads_as is null and port_id in ({{ ids | join(', ') }}))
    order by coalesce(sequence, 0) desc, attempted_at desc
  {% endset %}
  {% for row in portmesh.query(query).rows %}
    {% set records = found[row['reads_as'] or by_id[row['port_id']]] %}
    {% if not records or records[-1]['verdict'] != 'retired' %}{% do records.append(row) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
