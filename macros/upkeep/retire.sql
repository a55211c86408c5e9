{# Takes away what no model makes any more: a port `<domain>.<name>`, or all of a domain, with versions and kept failures, and
   records it. Without `confirmed` it says what would go. `early`: although listed consumers or the date say later. #}
{% macro retire(name, confirmed=false, early=false) %}
  {% set ports, plans, problems = portmesh._ports_to_retire(name), [], [] %}
  {% for port in ports %}
    {% set plan = portmesh._retirement(port) %}
    {% do plans.append(plan) %}
    {% do problems.extend(portmesh._obstacles(plan, early)) %}
  {% endfor %}
  {% if problems %}
    {% do exceptions.raise_dependency_error(
        name ~ ' was not retired: it is still read, or may be.\n\n' ~ portmesh.text_table(['port', 'read by', 'until', 'what to do'], problems)
        ~ ('' if early else '\n\n  although listed   portmesh retire ' ~ name ~ ' --early --yes')) %}
  {% endif %}
  {% for plan in plans %}
    {% if confirmed %}{% do portmesh._retire(plan) %}{% endif %}
    {% do log(portmesh._retirement_text(plan, confirmed), info=true) %}
  {% endfor %}
  {{ adapter.commit() }}
  {% if not confirmed %}{% do log('\nNothing was changed.\n\n  next   portmesh retire ' ~ name ~ (' --early' if early else '') ~ ' --yes', info=true) %}{% endif %}
{% endmacro %}

{% macro _ports_to_retire(name) %}
  {% set unmade, made = portmesh.unmade_ports(), [] %}
  {% set chosen = unmade | selectattr('reads_as', 'equalto', name) | list %}
  {% if chosen %}{{ return(chosen) }}{% endif %}
  {% for port in portmesh.all_ports() if name in [port.label, port.reads_as, port.product] %}{% do made.append(port) %}{% endfor %}
  {% if made %}{% do portmesh._refuse_made(name, made) %}{% endif %}
  {% set chosen = unmade | selectattr('product', 'equalto', name) | list %}
  {% if not chosen %}
    {% set known = unmade | map(attribute='reads_as') | list %}
    {% set near = portmesh.nearest_name(name, known) %}
    {% do exceptions.raise_dependency_error(
        'There is nothing of ' ~ name ~ ' to retire.' ~ (' Did you mean ' ~ near ~ '?' if near) ~ '\n\n  no model makes   ' ~ (known | join(', ') or 'none: all that is published has a model')) %}
  {% endif %}
  {{ return(chosen) }}
{% endmacro %}

{# While a model makes a port, this says who reads it and until when, and what to do first. #}
{% macro _refuse_made(name, ports) %}
  {% set rows = [] %}
  {% for port in ports %}
    {% set readers = portmesh._readers_in_mesh(port) %}
    {% for consumer in portmesh.consumers_of(port.node) %}{% do readers.append([consumer.name, (consumer.until or 'no end') | string]) %}{% endfor %}
    {% for reader in readers or [['nobody is listed', '-']] %}
      {% do rows.append([port.label, portmesh.deprecation_date(port.node) or 'not set'] + reader) %}
    {% endfor %}
  {% endfor %}
  {% do exceptions.raise_dependency_error(
      name ~ ' was not retired: models of the mesh still make it.\n\n'
      ~ portmesh.text_table(['port', 'deprecation_date', 'read by', 'until'], rows)
      ~ '\n\n  next   set deprecation_date in ' ~ ports[0].contract_path ~ ', so that dbt warns who reads it; once nobody does, delete'
      ~ '\n         the files of the port, then: portmesh retire ' ~ name) %}
{% endmacro %}

{# [[model or test, file]] of other domains, and of its own ports, that read a port. #}
{% macro _readers_in_mesh(port) %}
  {% set readers = [] %}
  {% for node in graph.nodes.values() if node.resource_type in ['model', 'snapshot'] and port.id in node.depends_on.nodes %}
    {% do readers.append([portmesh.label_of(node), 'it reads ' ~ portmesh.file_of(node)]) %}
  {% endfor %}
  {{ return(readers) }}
{% endmacro %}

{# {port, exists, versions, failures, consumers, date, readers}: what stands there, and who is known to read it. #}
{% macro _retirement(port) %}
  {% set contract, readers = portmesh._last_contract(port.records), portmesh.readers_of(port) %}
  {% for source in graph.sources.values() if (source.schema ~ '.' ~ source.identifier) | lower == (port.relation.schema ~ '.' ~ port.alias) | lower %}
    {% do readers.append('the source ' ~ source.package_name ~ '.' ~ source.source_name ~ '.' ~ source.name) %}
  {% endfor %}
  {{ return({
      'port': port, 'exists': portmesh.is_published_here(port), 'versions': portmesh.versions_there(port), 'failures': portmesh._kept_failures_of(port),
      'consumers': contract.consumers or [], 'date': contract.deprecation_date or '', 'readers': readers}) }}
{% endmacro %}

{# [[port, reader, until, what to do]]. What stands on it is in the way whatever was agreed. #}
{% macro _obstacles(plan, early) %}
  {% set name, found = plan.port.reads_as, [] %}
  {% for reader in plan.readers %}{% do found.append([name, reader, '-', 'drop it, or have it read something else']) %}{% endfor %}
  {% if early %}{{ return(found) }}{% endif %}
  {% for consumer in plan.consumers if not consumer.until or consumer.until >= portmesh.today_utc() %}
    {% do found.append([name, consumer.name, consumer.until or 'no end', 'ask them; they were listed when it was last built']) %}
  {% endfor %}
  {% if plan.date > portmesh.today_utc() %}
    {% do found.append([name, 'whoever trusts its deprecation_date', plan.date, 'wait for the date']) %}
  {% endif %}
  {{ return(found) }}
{% endmacro %}

{# Tables in which refused runs kept failing rows, but those that a check of today has the name of. #}
{% macro _kept_failures_of(port) %}
  {% set taken, found = portmesh.tables_by_name(), [] %}
  {% for node in graph.nodes.values() if node.resource_type == 'test' %}{% do taken.update({(node.schema ~ '.' ~ node.alias) | lower: 'test'}) %}{% endfor %}
  {% set query %}
    select distinct check_name, check_id from {{ portmesh.record_table('measurements') }} where reads_as = {{ portmesh.text_literal(port.reads_as) }}
  {% endset %}
  {% for row in portmesh.query(query).rows %}
    {% for has_namesakes in [false, true] %}
      {% set relation = portmesh._failures_relation(port.relation.database, port.internal_schema, row[0], row[1], has_namesakes) %}
      {% set kept = portmesh.existing_relation(relation) if (relation.schema ~ '.' ~ relation.identifier) | lower not in taken else none %}
      {% if kept and kept.type == 'table' and kept not in found %}{% do found.append(kept) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# Names of the port's versions; its schema may be gone. #}
{% macro versions_there(port) %}
  {{ return(portmesh.list_versions(port) | sort if port.internal_schema in portmesh.existing_schemas() else []) }}
{% endmacro %}

{# What stands at a name, or none; its schema may be gone. #}
{% macro existing_relation(relation) %}
  {{ return(load_relation(relation) if relation.schema in portmesh.existing_schemas() else none) }}
{% endmacro %}

{% macro _retire(plan) %}
  {% set port = plan.port %}
  {% set current = port.current or {} %}
  {% do portmesh.drop_port(port, plan.versions, plan.exists) %}
  {% for kept in plan.failures %}{% do adapter.drop_relation(kept) %}{% endfor %}
  {% do portmesh.record_attempt({
      'port': port, 'history': portmesh.read_history(port), 'current': port.current, 'checks': [], 'failed': [], 'row_count': current.get('row_count'),
      'kind': 'retirement', 'place': {'base': current.get('base')}, 'contract_version': current.get('contract_version') or '',
      'contract': tojson(portmesh._last_contract(port.records)), 'started_at': modules.datetime.datetime.now()}, 'retired', current.get('version')) %}
{% endmacro %}

{% macro _retirement_text(plan, confirmed) %}
  {% set rows, port = [], plan.port %}
  {% set of_rows = ' (' ~ '{:,}'.format(port.current.row_count) ~ ' rows)' if port.current else '' %}
  {% if plan.exists %}{% do rows.append(['what consumers read', port.relation.schema ~ '.' ~ port.alias ~ of_rows]) %}{% endif %}
  {% for name in plan.versions %}{% do rows.append(['version', port.internal_schema ~ '.' ~ name]) %}{% endfor %}
  {% for kept in plan.failures %}{% do rows.append(['kept failures', kept.schema ~ '.' ~ kept.identifier]) %}{% endfor %}
  {% set heading = port.reads_as ~ (' is retired; gone are' if confirmed else ' would be retired. Until then it can be read, as it is. These go, and stay gone') %}
  {{ return(heading ~ ':\n\n' ~ portmesh.text_table(['what', 'name'], rows or [['nothing', 'it is gone already']])) }}
{% endmacro %}
