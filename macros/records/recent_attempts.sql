{# Prints, as one line of JSON, the newest attempts of each port by the port's id, newest first, and `with_checks`
   those that failed in the newest: {id: {attempts, failed_checks}}. Versions and other attempts are counted apart, so
   that many refusals do not hide the version that consumers read. For `portmesh build`, which decides what they mean.
   A domain's role on AWS may not read the measurements of other domains. #}
{% macro recent_attempts(ports, with_checks=false) %}
  {% set found, selects, ids = {}, [], {} %}
  {% set chosen = portmesh.all_ports() | selectattr('id', 'in', ports) | list %}
  {% for port in chosen %}
    {% do found.update({port.id: {'attempts': [], 'failed_checks': []}}) %}
    {% do ids.update({port.reads_as: port.id}) %}
  {% endfor %}
  {% for product, of_product in chosen | groupby('product') if portmesh.has_records(product) %}
    {% do selects.append(portmesh._select_recent(product, of_product)) %}
  {% endfor %}
  {% set query = selects | join('\nunion all\n') ~ '\norder by 1, 2 desc' %}
  {% for row in (portmesh.query(query).rows if selects else []) %}
    {% set attempt = dict(row.dict(), sequence=row['sequence'] | int, at=row['attempted_at'].isoformat(),
        row_count=row['row_count'] | int if row['row_count'] is not none else none) %}
    {% do attempt.pop('attempted_at') %}
    {% do found[ids[row['reads_as']]].attempts.append(attempt) %}
  {% endfor %}
  {% for check in (portmesh._checks_that_failed(chosen, found) if with_checks else []) %}
    {% set text = check['kind'] ~ (' of ' ~ check['column_name'] if check['column_name'] else '') %}
    {% do found[check['port_id']].failed_checks.append(text) %}
  {% endfor %}
  {% do print(tojson(found)) %}
{% endmacro %}

{% macro _select_recent(product, ports) %}
  {% set names = ['invocation_id', 'attempted_at', 'version', 'verdict', 'row_count', 'reads_as', 'sequence', 'batches',
      'run_name'] %}
  {% set table = portmesh.record_table('publications', product) %}
  {% set own = table.identifier in portmesh.existing_records() %}
  {% set columns = portmesh.todays_columns('publications', table, names) if own else names %}
  {{ return(
      'select reads_as, sequence, invocation_id, attempted_at, version, verdict, row_count, batches, run_name from ('
      ~ 'select recorded.*, row_number() over ('
      ~ "partition by reads_as, verdict in ('published', 'rolled_back', 'retired')"
      ~ ' order by sequence desc, attempted_at desc) as newest from (select '
      ~ columns | join(', ') ~ ' from ' ~ portmesh.records_of('publications', product)
      ~ ') as recorded where reads_as in ' ~ portmesh.literal_row(ports | map(attribute='reads_as'))
      ~ ') as numbered where newest <= 200') }}
{% endmacro %}

{# Of the newest attempts that were refused. #}
{% macro _checks_that_failed(ports, found) %}
  {% set selects, rows = [], [] %}
  {% for port in ports %}
    {% set newest = found[port.id].attempts | rejectattr('verdict', 'equalto', 'maintained') | first %}
    {% if newest and newest.verdict == 'refused' %}
      {% do selects.append(
          'select port_id, kind, column_name from ' ~ portmesh.records_of('measurements', port.product)
          ~ ' where port_id = ' ~ portmesh.literal(port.id) ~ ' and invocation_id = '
          ~ portmesh.literal(newest.invocation_id) ~ " and status = 'fail'") %}
    {% endif %}
  {% endfor %}
  {{ return(portmesh.query(selects | join('\nunion all\n') ~ '\norder by 1, 2, 3').rows if selects else []) }}
{% endmacro %}
