{# Prints, as one line of JSON, the state of every port: what consumers read, the last attempt, what earlier runs left; and what no
   model makes any more. #}
{% macro mesh_status() %}
  {% set ports = portmesh.all_ports() %}
  {% set has_records = load_relation(portmesh.record_table('publications')) is not none %}
  {% set attempts = portmesh.attempts_of(ports) if has_records else {} %}
  {% set open = portmesh.open_versions(ports) if has_records else {} %}
  {% set last, facts = [], [] %}
  {% for port in ports %}
    {% set known = {
        'id': port.id, 'product': port.product, 'port': port.name, 'reads': portmesh._ports_read(port.node),
        'table': port.alias, 'database': port.relation.schema, 'internal_database': port.internal_schema} %}
    {% if has_records %}
      {% do known.update(portmesh._port_state(port, attempts[port.reads_as])) %}
      {% do known.update(portmesh.sort_open_versions(port, attempts[port.reads_as], open[port.reads_as])) %}
      {% if known.last_run %}{% do last.append(known.last_run) %}{% endif %}
    {% endif %}
    {% do facts.append(known) %}
  {% endfor %}
  {% set measured = portmesh._checks_of(last) if last else {} %}
  {% for port in facts %}
    {% set checks = measured.get(port.id ~ ' ' ~ port.last_run, {'fail': [], 'late': []}) %}
    {% do port.update({'failed_checks': checks.fail, 'late': checks.late | length > 0}) %}
  {% endfor %}
  {% do print(tojson({'target': target.name, 'ports': facts, 'ending': portmesh._ending_facts(), 'unmade': portmesh.unmade_facts()})) %}
{% endmacro %}

{% macro _ending_facts() %}
  {% set facts = [] %}
  {% for warning in portmesh.access_that_ends(portmesh.read_mesh()) | sort(attribute='last_day,port,reader') %}
    {% do facts.append({
        'rule': warning.code, 'port': warning.port, 'reader': warning.reader, 'last_day': warning.last_day,
        'what': warning.what, 'next': warning.remedy, 'file': warning.where}) %}
  {% endfor %}
  {{ return(facts) }}
{% endmacro %}

{% macro all_ports() %}
  {% set ports = [] %}
  {% for node in graph.nodes.values() if node.config.materialized == 'output_port' %}
    {% do ports.append(portmesh.describe_port(node)) %}
  {% endfor %}
  {{ return(ports) }}
{% endmacro %}

{# A maintenance is no attempt to publish. #}
{% macro _port_state(port, records) %}
  {% set versions = portmesh.version_chain(records) %}
  {% set current = versions | first %}
  {% set attempts = records | rejectattr('verdict', 'equalto', 'maintained') | list %}
  {% set last = attempts | first %}
  {{ return({
      'published_at': current.attempted_at.isoformat() if current else none,
      'row_count': current.row_count | int if current else none,
      'attempted_at': last.attempted_at.isoformat() if last else none,
      'verdict': last.verdict if last else none,
      'last_run': last.invocation_id if last else none,
      'refused_attempts': portmesh._refused_since(attempts) | length,
      'withdrawn': portmesh.withdrawn_facts(records, current),
      'built_at': portmesh._built_at(versions),
      'kept': portmesh._kept(versions[:portmesh.versions_to_keep(port.node)]),
  }) }}
{% endmacro %}

{# When the rows that consumers read were built: the newest publication, and those before it that it only added to. #}
{% macro _built_at(versions) %}
  {% set times, found = [], namespace(is_open=true) %}
  {% for version in versions if found.is_open %}
    {% do times.append(version.attempted_at.isoformat()) %}
    {% set found.is_open = version.kind == 'increment' %}
  {% endfor %}
  {{ return(times) }}
{% endmacro %}

{% macro _kept(versions) %}
  {% set kept = [] %}
  {% for version in versions %}
    {% do kept.append({
        'version': version.version, 'contract_version': version.contract_version,
        'snapshot_id': version.snapshot_id | int if version.snapshot_id is not none else none}) %}
  {% endfor %}
  {{ return(kept) }}
{% endmacro %}

{# Versions refused since the last publication, the newest first. #}
{% macro _refused_since(attempts) %}
  {% set refused = [] %}
  {% for attempt in attempts %}
    {% if attempt.verdict == 'refused' and loop.index0 == refused | length %}{% do refused.append(attempt.version) %}{% endif %}
  {% endfor %}
  {{ return(refused) }}
{% endmacro %}

{# {port id and run: {fail: kinds of checks, late: kinds}} of these runs. #}
{% macro _checks_of(runs) %}
  {% set query %}
    select distinct port_id, invocation_id, status, dimension, kind
    from {{ portmesh.record_table('measurements') }}
    where invocation_id in ('{{ runs | unique | join("', '") }}') and status in ('fail', 'warn')
    order by kind
  {% endset %}
  {% set found = {} %}
  {% for row in run_query(query).rows %}
    {% set checks = found.setdefault(row['port_id'] ~ ' ' ~ row['invocation_id'], {'fail': [], 'late': []}) %}
    {% if row['status'] == 'fail' and row['kind'] not in checks.fail %}{% do checks.fail.append(row['kind']) %}{% endif %}
    {% if row['status'] == 'warn' and row['dimension'] == 'timeliness' %}{% do checks.late.append(row['kind']) %}{% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# Ids of the ports that a port reads, through any number of internal models. #}
{% macro _ports_read(node) %}
  {% set found, seen, open = [], [], node.depends_on.nodes | list %}
  {% for _ in range(graph.nodes | length) if open %}
    {% set other = graph.nodes.get(open.pop()) %}
    {% if other and other.unique_id not in seen %}
      {% do seen.append(other.unique_id) %}
      {% if other.config.materialized == 'output_port' %}{% do found.append(other.unique_id) %}
      {% else %}{% do open.extend(other.depends_on.nodes) %}{% endif %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
