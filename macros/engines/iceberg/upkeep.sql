{# One statement lists the branches of all ports, because each statement takes a second on Athena. Only their writers
   read branches, so none is held. #}
{% macro iceberg__open_versions(ports) %}
  {% set found, tables, schemas = {}, {}, portmesh.existing_schemas() %}
  {% for port in ports %}
    {% set schema = port.internal_schema %}
    {% if schema not in tables %}
      {% do tables.update({schema: portmesh.tables_in(schema) if schema in schemas else []}) %}
    {% endif %}
    {% set versions = found.setdefault(port.reads_as, []) %}
    {% for name in portmesh.versions_among(port, tables[schema]) %}
      {% do versions.append({'name': name, 'kind': 'table', 'where': schema ~ '.' ~ name, 'is_held': false}) %}
    {% endfor %}
  {% endfor %}
  {% for port, name in portmesh._branches(ports) if portmesh.versions_among(port, [name]) %}
    {% set where = 'a branch of ' ~ port.relation.schema ~ '.' ~ port.alias %}
    {% do found[port.reads_as].append({'name': name, 'kind': 'branch', 'where': where, 'is_held': false}) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# The branches of these ports except main, [(port, name)]. #}
{% macro _branches(ports) %}
  {% set queries, branches = [], [] %}
  {% for port in ports %}
    {% set existing = load_relation(port.relation) %}
    {% if existing and existing.type == 'table' and portmesh.engine_macro('is_iceberg_table')(existing) %}
      {% do queries.append(
          'select ' ~ loop.index0 ~ ' as port, name from ' ~ portmesh.engine_macro('metadata')(port.relation, 'refs')
          ~ " where type = 'BRANCH' and name <> 'main'") %}
    {% endif %}
  {% endfor %}
  {% for place, name in (run_query(queries | join('\nunion all\n')).rows if queries else []) %}
    {% do branches.append((ports[place | int], name)) %}
  {% endfor %}
  {{ return(branches) }}
{% endmacro %}

{% macro iceberg__list_versions(port) %}
  {% set tables = portmesh.tables_in(port.internal_schema) %}
  {{ return(portmesh.versions_among(port, tables + portmesh.engine_macro('branches_of')(port))) }}
{% endmacro %}

{# Drops candidates that recorded runs left, and tables that Athena kept at publications and no kept version needs. A
   run without a record may still be running, so its candidates stay. #}
{% macro iceberg__drop_superseded_versions(port, history, place) %}
  {% set keeps_tables = portmesh.engine_macro('publishes_beside_as_it_is')() %}
  {% set needed, ended = portmesh.needed_versions(port, history.versions), [] %}
  {% for row in history.attempts if row['version'] != place.version %}
    {% if row['verdict'] == 'refused' or keeps_tables and row['verdict'] == 'published' %}
      {% do ended.append(row['version']) %}
    {% endif %}
  {% endfor %}
  {% for name in (portmesh.list_versions(port) if ended else []) if name not in needed %}
    {% if modules.re.sub('__[a-z]+$', '', name) in ended %}{% do portmesh.drop_version(port, name) %}{% endif %}
  {% endfor %}
{% endmacro %}

{% macro iceberg__is_published_here(port) %}
  {% set is_there = port.relation.schema in portmesh.existing_schemas() %}
  {% set existing = load_relation(port.relation) if is_there else none %}
  {% set is_table = existing is not none and existing.type == 'table' %}
  {{ return(is_table and portmesh.engine_macro('is_iceberg_table')(existing)) }}
{% endmacro %}

{# Glue does not know who reads a table. #}
{% macro iceberg__readers_of(port) %}{{ return([]) }}{% endmacro %}

{# Drops second names first, because they may share the port's files. Branches and tags are dropped with the table. #}
{% macro iceberg__drop_port(port, versions, exists) %}
  {% for name in versions %}{% do portmesh.iceberg__drop_unless_shared(port, name) %}{% endfor %}
  {% if exists %}{% do portmesh.engine_macro('drop_table')(port.relation) %}{% endif %}
{% endmacro %}

{# Drops a table together with its files if no other name uses them. If that is not certain, drops only the name;
   `portmesh clean` finds the files later. #}
{% macro iceberg__drop_unless_shared(port, name) %}
  {% set relation = portmesh.version_relation(port, name) %}
  {% set has_own_files = modules.re.search('__(increment|rows)$', name)
      or portmesh.engine_macro('has_own_files')(port, relation) %}
  {% do portmesh.engine_macro('drop_table' if has_own_files else 'forget_table')(relation) %}
{% endmacro %}

{% macro iceberg__replace_table(relation, sql) %}
  {% do portmesh.engine_macro('drop_table')(relation) %}
  {% do portmesh.engine_macro('create_iceberg_table')(relation, portmesh._storable_rows(sql), relation) %}
{% endmacro %}

{# A table needs unique column names, and supports fewer types than a query can return. #}
{% macro _storable_rows(sql) %}
  {% set columns = portmesh.describe_query(sql) %}
  {% set places, names, casts = portmesh.iceberg__column_places(columns), [], [] %}
  {% for column in columns %}
    {% set name = column.name if column.name | lower not in names else column.name ~ '_' ~ loop.index %}
    {% do names.append(name | lower) %}
    {% set type = portmesh.engine_macro('storable_type')(column.type) %}
    {% do casts.append('cast(' ~ places[loop.index0] ~ ' as ' ~ type ~ ') as ' ~ adapter.quote(name)) %}
  {% endfor %}
  {{ return('select ' ~ casts | join(', ') ~ ' from (\n' ~ sql ~ '\n) as failing (' ~ places | join(', ') ~ ')') }}
{% endmacro %}

{% macro iceberg__make_records(schemas, tables) %}
  {% set existing = portmesh.existing_schemas() %}
  {% for schema in schemas if environment_schema(schema) not in existing %}
    {% do create_schema(api.Relation.create(database=target.get('database'), schema=environment_schema(schema))) %}
  {% endfor %}
  {% for table in tables %}
    {% if table.exists %}
      {% set names = portmesh.table_columns(table.relation) | map(attribute='name') | map('lower') | list %}
      {% for column, type in table.columns.items() if column not in names %}
        {% set change = {'change': 'add', 'column': column, 'data_type': type} %}
        {% do portmesh.engine_macro('change_column')(table.relation, change) %}
      {% endfor %}
    {% else %}
      {% do portmesh.engine_macro('create_record_table')(table) %}
    {% endif %}
  {% endfor %}
{% endmacro %}
