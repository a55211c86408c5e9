{# Prints one line of JSON with the state of every port: what consumers read, the last attempt and leftovers of earlier
   runs. It also lists published relations that no model builds any more. #}
{% macro mesh_status() %}
  {% set ports, facts = portmesh.all_ports(), [] %}
  {% set attempts, open = portmesh.attempts_of(ports), portmesh.open_versions(ports) %}
  {% for port in ports %}
    {% set reads = portmesh.ports_read(port.node) | map(attribute='unique_id') | list %}
    {% do facts.append({
        'id': port.id, 'product': port.product, 'port': port.name, 'reads': reads,
        'selector': portmesh.selector_of(port.node), 'models_before': portmesh.models_before(port.node),
        'table': port.alias, 'database': port.relation.schema, 'internal_database': port.internal_schema}) %}
    {% do facts[-1].update(portmesh.port_state(port, attempts[port.reads_as], open[port.reads_as])) %}
  {% endfor %}
  {% set found = portmesh._found_by_checks(facts | selectattr('last_run') | list) %}
  {% for port in facts %}
    {% set checks = found.get(port.id ~ ' ' ~ port.last_run, {'fail': [], 'late': []}) %}
    {% do port.update({'failed_checks': checks.fail, 'late': checks.late | length > 0}) %}
  {% endfor %}
  {% set ending, unmade = portmesh._ending_facts(), portmesh._unmade_facts() %}
  {% do print(tojson({'target': target.name, 'ports': facts, 'ending': ending, 'unmade': unmade})) %}
{% endmacro %}

{# Which kinds of checks failed or were late in the last run of each port: {port id and run: {fail: kinds, late:
   kinds}}. #}
{% macro _found_by_checks(ports) %}
  {% set found, selects = {}, [] %}
  {% for product, of_product in ports | groupby('product') %}
    {% do selects.append(
        'select distinct port_id, invocation_id, status, dimension, kind from '
        ~ portmesh.records_of('measurements', product) ~ ' where port_id in '
        ~ portmesh.literal_row(of_product | map(attribute='id')) ~ ' and invocation_id in '
        ~ portmesh.literal_row(of_product | map(attribute='last_run') | unique) ~ " and status in ('fail', 'warn')") %}
  {% endfor %}
  {% set query = 'select * from (\n' ~ selects | join('\nunion all\n') ~ '\n) as found order by kind' %}
  {% for row in (run_query(query).rows if selects else []) %}
    {% set checks = found.setdefault(row['port_id'] ~ ' ' ~ row['invocation_id'], {'fail': [], 'late': []}) %}
    {% set is_late = row['status'] == 'warn' and row['dimension'] == 'timeliness' %}
    {% set kinds = checks.fail if row['status'] == 'fail' else checks.late if is_late else [] %}
    {% if row['kind'] not in kinds %}{% do kinds.append(row['kind']) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# Access to ports that ends soon or has ended. #}
{% macro _ending_facts() %}
  {% set facts = [] %}
  {% for warning in portmesh.access_that_ends(portmesh.read_mesh()) | sort(attribute='last_day,port,reader') %}
    {% do facts.append({
        'rule': warning.code, 'port': warning.port, 'reader': warning.reader, 'last_day': warning.last_day,
        'what': warning.what, 'next': warning.remedy, 'file': warning.where}) %}
  {% endfor %}
  {{ return(facts) }}
{% endmacro %}

{% macro _unmade_facts() %}
  {% set facts = [] %}
  {% for port in portmesh.unmade_ports() %}
    {% do facts.append({
        'relation': port.reads_as, 'where': port.relation.schema ~ '.' ~ port.alias,
        'row_count': port.current.row_count | int if port.current else none,
        'published_at': port.current.attempted_at.isoformat() if port.current else none,
        'last_made_at': port.records[0].attempted_at.isoformat(),
        'goes_on_as': port.contract.goes_on_as or none,
        'deprecation_date': port.contract.deprecation_date or none,
    }) %}
  {% endfor %}
  {{ return(facts) }}
{% endmacro %}
