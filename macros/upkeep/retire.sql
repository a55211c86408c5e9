{# Deletes published ports that no model builds any more: one port, `<domain>.<name>`, or all of a domain, with their
   versions and stored failures, and records it. Without `confirmed` it only shows the plan. `early` ignores listed
   consumers and the deprecation date. #}
{% macro retire(name, confirmed=false, early=false) %}
  {% set plans, problems = [], [] %}
  {% for port in portmesh.ports_to_retire(name) %}
    {% do plans.append(portmesh._plan_to_retire(port)) %}
    {% do problems.extend(portmesh._obstacles(plans[-1], early)) %}
  {% endfor %}
  {% if problems %}
    {% do exceptions.raise_dependency_error(
        name ~ ' was not retired: it still has readers, or may have.\n\n'
        ~ portmesh.text_table(['port', 'read by', 'until', 'what to do'], problems)
        ~ ('' if early else '\n\n  to retire early   portmesh retire ' ~ name ~ ' --early --yes')) %}
  {% endif %}
  {% for plan in plans %}
    {% if confirmed %}{% do portmesh._carry_out(plan) %}{% endif %}
    {% do log(portmesh._plan_text(plan, confirmed), info=true) %}
  {% endfor %}
  {{ adapter.commit() }}
  {% if not confirmed %}
    {% set command = 'portmesh retire ' ~ name ~ (' --early' if early else '') ~ ' --yes' %}
    {% do log('\nNothing was changed.\n\n  next   ' ~ command, info=true) %}
  {% endif %}
{% endmacro %}

{# {port, exists, versions, failures, readers}: what would be deleted, and who is known to read it. Its schemas may no
   longer exist. #}
{% macro _plan_to_retire(port) %}
  {% set name, readers = (port.relation.schema ~ '.' ~ port.alias) | lower, portmesh.readers_of(port) %}
  {% for source in graph.sources.values() if (source.schema ~ '.' ~ source.identifier) | lower == name %}
    {% do readers.append('the source ' ~ source.package_name ~ '.' ~ source.source_name ~ '.' ~ source.name) %}
  {% endfor %}
  {% set has_internals = port.internal_schema in portmesh.existing_schemas() %}
  {{ return({
      'port': port, 'exists': portmesh.is_published_here(port), 'readers': readers,
      'versions': portmesh.list_versions(port) | sort if has_internals else [],
      'failures': portmesh._kept_failures_of(port) if has_internals else []}) }}
{% endmacro %}

{# The tables in which refused runs stored failing rows, except those that a current check uses. #}
{% macro _kept_failures_of(port) %}
  {% set taken, found = portmesh.tables_by_name(), [] %}
  {% for node in graph.nodes.values() if node.resource_type == 'test' %}
    {% do taken.update({(node.schema ~ '.' ~ node.alias) | lower: 'test'}) %}
  {% endfor %}
  {% set query %}
    select distinct check_name, check_id from {{ portmesh.records_of('measurements', port.product) }}
    where reads_as = {{ portmesh.text_literal(port.reads_as) }}
  {% endset %}
  {% for row in portmesh.query(query).rows %}
    {% for has_namesakes in [false, true] %}
      {% set relation = portmesh.failures_relation(
          port.relation.database, port.internal_schema, row[0], row[1], has_namesakes) %}
      {% set is_taken = (relation.schema ~ '.' ~ relation.identifier) | lower in taken %}
      {% set kept = load_relation(relation) if not is_taken else none %}
      {% if kept and kept.type == 'table' and kept not in found %}{% do found.append(kept) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# [[port, reader, until, what to do]] for everything that prevents retiring. Views and sources on the port always do,
   even with `early`. #}
{% macro _obstacles(plan, early) %}
  {% set port, found = plan.port.reads_as, [] %}
  {% set consumers, date = plan.port.contract.consumers or [], plan.port.contract.deprecation_date or '' %}
  {% for reader in plan.readers %}
    {% do found.append([port, reader, '-', 'drop it, or make it read something else']) %}
  {% endfor %}
  {% if early %}{{ return(found) }}{% endif %}
  {% for consumer in consumers if not consumer.until or consumer.until >= portmesh.today_utc() %}
    {% set until = consumer.until or 'no end' %}
    {% do found.append([port, consumer.name, until, 'ask them: they were listed when it was last built']) %}
  {% endfor %}
  {% if date > portmesh.today_utc() %}
    {% do found.append([port, 'anyone who relies on its deprecation_date', date, 'wait until that date']) %}
  {% endif %}
  {{ return(found) }}
{% endmacro %}

{% macro _carry_out(plan) %}
  {% set port, now = plan.port, modules.datetime.datetime.now() %}
  {% do portmesh.drop_port(port, plan.versions, plan.exists) %}
  {% for kept in plan.failures %}{% do adapter.drop_relation(kept) %}{% endfor %}
  {% set history = portmesh.read_history(port) %}
  {% do portmesh.record_event(port, history, port.current, 'retirement', 'retired', now, tojson(port.contract)) %}
{% endmacro %}

{% macro _plan_text(plan, confirmed) %}
  {% set rows, port = [], plan.port %}
  {% set of_rows = ' (' ~ '{:,}'.format(port.current.row_count) ~ ' rows)' if port.current else '' %}
  {% if plan.exists %}
    {% do rows.append(['what consumers read', port.relation.schema ~ '.' ~ port.alias ~ of_rows]) %}
  {% endif %}
  {% for name in plan.versions %}{% do rows.append(['version', port.internal_schema ~ '.' ~ name]) %}{% endfor %}
  {% for table in plan.failures %}{% do rows.append(['failing rows', table.schema ~ '.' ~ table.name]) %}{% endfor %}
  {% set heading = port.reads_as ~ (' was retired. Deleted' if confirmed
      else ' would be retired; until then it stays readable. To be deleted for good') %}
  {{ return(heading ~ ':\n\n' ~ portmesh.text_table(['what', 'name'], rows or [['nothing', 'already deleted']])) }}
{% endmacro %}
