{# Prints, as one line of JSON, the state of every port: what consumers read, the last attempt, what broken runs left. #}
{% macro mesh_status() %}
  {% set has_records = load_relation(portmesh.record_table('publications')) is not none %}
  {% set ports = [] %}
  {% for node in graph.nodes.values() if node.config.materialized == 'output_port' %}
    {% set port = portmesh.describe_port(node) %}
    {% set facts = {'id': port.id, 'product': port.product, 'port': port.name, 'reads': portmesh._ports_read(node)} %}
    {% if has_records %}{% do facts.update(portmesh._port_state(port)) %}{% endif %}
    {% do ports.append(facts) %}
  {% endfor %}
  {% do print(tojson({'target': target.name, 'ports': ports})) %}
{% endmacro %}

{% macro _port_state(port) %}
  {% set versions = portmesh.published_versions(port) %}
  {% set attempts = run_query(
      "select invocation_id, version, verdict, attempted_at, kind from " ~ portmesh.record_table('publications')
      ~ " where port_id = '" ~ port.id ~ "' order by attempted_at desc").rows %}
  {% set refused = [] %}
  {% for attempt in attempts %}
    {% if attempt.verdict == 'refused' and loop.index0 == refused | length %}{% do refused.append(attempt.version) %}{% endif %}
  {% endfor %}
  {% set needed = portmesh.needed_versions(port, versions) + refused[:1] %}
  {% set left = portmesh.list_versions(port) | reject('in', needed) | list %}
  {% set current = versions[0] if versions else none %}
  {% set last = attempts[0] if attempts else none %}
  {{ return({
      'published_at': current.attempted_at.isoformat() if current else none,
      'row_count': current.row_count | int if current else none,
      'attempted_at': last.attempted_at.isoformat() if last else none,
      'verdict': last.verdict if last else none,
      'refused_attempts': refused | length,
      'failed_checks': portmesh._checks_with_status(port, last, 'fail') if last else [],
      'late': portmesh._checks_with_status(port, last, 'warn', "and dimension = 'timeliness'") | length > 0 if last else false,
      'left': left,
  }) }}
{% endmacro %}

{% macro _checks_with_status(port, attempt, status, and='') %}
  {{ return(run_query(
      "select distinct kind from " ~ portmesh.record_table('measurements') ~ " where port_id = '" ~ port.id
      ~ "' and invocation_id = '" ~ attempt.invocation_id ~ "' and status = '" ~ status ~ "' " ~ and ~ " order by kind"
  ).columns[0].values() | list) }}
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
