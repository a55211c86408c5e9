{# Drops versions that `mesh_status` listed: {port label: [names]}. What a version is made of goes as a name only; its files
   may be those of the port, and go by maintenance. #}
{% macro clean(versions) %}
  {% for port in portmesh.all_ports() %}
    {% for name in versions.get(port.label, []) %}{% do portmesh.drop_version(port, name) %}{% endfor %}
  {% endfor %}
  {{ adapter.commit() }}
{% endmacro %}

{# {port id: [{name, kind, where, is_held}]} of the versions that are tables, second names or branches of their own.
   `is_held`: something reads it. #}
{% macro open_versions(ports) %}{{ return(adapter.dispatch('open_versions', 'portmesh')(ports)) }}{% endmacro %}

{% macro duckdb__open_versions(ports) %}
  {% set views = run_query('select sql from duckdb_views() where not internal').columns[0].values() | join('\n') %}
  {% set found = {} %}
  {% for port in ports %}
    {% set versions = found.setdefault(port.id, []) %}
    {% for name in portmesh.list_versions(port) %}
      {% do versions.append({'name': name, 'kind': 'table', 'where': port.internal_schema ~ '.' ~ name, 'is_held': name in views}) %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# One statement for the branches of all ports, for each takes a second on Athena. Nobody reads these but their writer. #}
{% macro default__open_versions(ports) %}
  {% set found, tables, schemas = {}, {}, portmesh.existing_schemas() %}
  {% for port in ports %}
    {% set schema = port.internal_schema %}
    {% if schema not in tables %}
      {% do tables.update({schema: portmesh.of_engine('tables_in')(schema) if schema in schemas else []}) %}
    {% endif %}
    {% set versions = found.setdefault(port.id, []) %}
    {% for name in tables[schema] if portmesh.is_version_of(port, name) %}
      {% do versions.append({'name': name, 'kind': 'table', 'where': schema ~ '.' ~ name, 'is_held': false}) %}
    {% endfor %}
  {% endfor %}
  {% for port, name in portmesh._branches(ports) if portmesh.is_version_of(port, name) %}
    {% set where = 'a branch of ' ~ port.relation.schema ~ '.' ~ port.alias %}
    {% do found[port.id].append({'name': name, 'kind': 'branch', 'where': where, 'is_held': false}) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro is_version_of(port, name) %}
  {{- return(modules.re.match('^' ~ modules.re.escape(port.alias) ~ '__\\d{8}_\\d{6}_[0-9a-f]{6}(__(increment|rows))?$', name) is not none) -}}
{% endmacro %}

{# [(port, name)] of the branches of these ports, main aside. #}
{% macro _branches(ports) %}
  {% set queries, branches = [], [] %}
  {% for port in ports %}
    {% set existing = load_relation(port.relation) %}
    {% if existing and existing.type == 'table' and portmesh.is_iceberg_table(existing) %}
      {% do queries.append(
          'select ' ~ loop.index0 ~ ' as port, name from ' ~ portmesh.of_engine('metadata')(port.relation, 'refs')
          ~ " where type = 'BRANCH' and name <> 'main'") %}
    {% endif %}
  {% endfor %}
  {% if queries %}
    {% for row in run_query(queries | join('\nunion all\n')).rows %}{% do branches.append((ports[row[0] | int], row[1])) %}{% endfor %}
  {% endif %}
  {{ return(branches) }}
{% endmacro %}

{# Which of the open versions are left over, and which the last refused attempt keeps for inspection. A name ends with the
   first digits of its run's id: with a record of that run, the run is not at work any more. #}
{% macro sort_open_versions(port, records, versions) %}
  {% set needed = portmesh.needed_versions(port, portmesh.version_chain(records)) %}
  {% set refused = portmesh._refused_since(records | rejectattr('verdict', 'equalto', 'maintained') | list) | first %}
  {% set runs = [] %}
  {% for record in records %}{% do runs.append(record.invocation_id[:6]) %}{% endfor %}
  {% set sorted = {'left': [], 'inspected': []} %}
  {% for version in versions if version.name not in needed %}
    {% set run = modules.re.search('_([0-9a-f]{6})(__[a-z]+)?$', version.name).group(1) %}
    {% do version.update({'has_record': run in runs}) %}
    {% set is_inspected = refused and (version.name == refused or version.name.startswith(refused ~ '__')) %}
    {% do sorted['inspected' if is_inspected else 'left'].append(version) %}
  {% endfor %}
  {{ return(sorted) }}
{% endmacro %}
