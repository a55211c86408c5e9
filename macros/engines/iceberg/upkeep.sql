{# One statement for the branches of all ports, for each takes a second on Athena. Nobody reads these but their writer. #}
{% macro iceberg__open_versions(ports) %}
  {% set found, tables, schemas, taken = {}, {}, portmesh.existing_schemas(), portmesh.tables_by_name() %}
  {% for port in ports %}
    {% set schema = port.internal_schema %}
    {% if schema not in tables %}
      {% do tables.update({schema: portmesh.engine_macro('tables_in')(schema) if schema in schemas else []}) %}
    {% endif %}
    {% set versions = found.setdefault(port.reads_as, []) %}
    {% for name in tables[schema] if portmesh.is_version_of(port, name) and (schema ~ '.' ~ name) | lower not in taken %}
      {% do versions.append({'name': name, 'kind': 'table', 'where': schema ~ '.' ~ name, 'is_held': false}) %}
    {% endfor %}
  {% endfor %}
  {% for port, name in portmesh._branches(ports) if portmesh.is_version_of(port, name) %}
    {% set where = 'a branch of ' ~ port.relation.schema ~ '.' ~ port.alias %}
    {% do found[port.reads_as].append({'name': name, 'kind': 'branch', 'where': where, 'is_held': false}) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# [(port, name)] of the branches of these ports, main aside. #}
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
  {% if queries %}
    {% for row in run_query(queries | join('\nunion all\n')).rows %}{% do branches.append((ports[row[0] | int], row[1])) %}{% endfor %}
  {% endif %}
  {{ return(branches) }}
{% endmacro %}

{% macro iceberg__list_versions(port) %}
  {% set names, taken = [], portmesh.tables_by_name() %}
  {% for name in portmesh.engine_macro('tables_in')(port.internal_schema) + portmesh.engine_macro('branches_of')(port) %}
    {% if portmesh.is_version_of(port, name) and (port.internal_schema ~ '.' ~ name) | lower not in taken %}{% do names.append(name) %}{% endif %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}

{# Candidates of this port that recorded runs left; of a run without a record one cannot tell whether it is still at work. #}
{% macro iceberg__drop_superseded_versions(port, history, place) %}
  {% set refused = [] %}
  {% for row in history.attempts if row['verdict'] == 'refused' and row['version'] != place.version %}{% do refused.append(row['version']) %}{% endfor %}
  {% set left = portmesh.list_versions(port) if refused else [] %}
  {% for version in refused[:20] %}
    {% for name in left if name == version or name.startswith(version ~ '__') %}
      {% do portmesh.drop_version(port, name) %}
    {% endfor %}
  {% endfor %}
{% endmacro %}

{% macro iceberg__is_published_here(port) %}
  {% set existing = portmesh.existing_relation(port.relation) %}
  {{ return(existing is not none and existing.type == 'table' and portmesh.engine_macro('is_iceberg_table')(existing)) }}
{% endmacro %}

{# Glue does not tell who reads a table. #}
{% macro iceberg__readers_of(port) %}{{ return([]) }}{% endmacro %}

{# Second names first, for their files may be the port's. Branches and tags go with the table. #}
{% macro iceberg__drop_port(port, versions, exists) %}
  {% for name in versions %}{% do portmesh.drop_unless_shared(portmesh.version_relation(port, name)) %}{% endfor %}
  {% if exists %}{% do portmesh.drop_table(port.relation) %}{% endif %}
{% endmacro %}

{# A version, or the rows of an increment, which are a table of their own. #}
{% macro drop_unless_shared(relation) %}
  {% do (portmesh.drop_table if modules.re.search('__(increment|rows)$', relation.identifier) else portmesh.forget_table)(relation) %}
{% endmacro %}

{# A table whose files are no other name's: it goes with them. #}
{% macro drop_table(relation) %}{{ return(portmesh.engine_macro('drop_table')(relation)) }}{% endmacro %}

{# The name alone, since its files may be those of the port. What no name has then, `portmesh clean` finds. #}
{% macro forget_table(relation) %}{{ return(portmesh.engine_macro('forget_table')(relation)) }}{% endmacro %}

{% macro iceberg__replace_table(relation, sql) %}
  {% do portmesh.drop_table(relation) %}
  {% do portmesh.create_iceberg_table(relation, portmesh.storable_rows(sql), relation) %}
{% endmacro %}

{% macro iceberg__make_records(schemas, records) %}
  {% set existing = portmesh.existing_schemas() %}
  {% for schema in schemas if environment_schema(schema) not in existing %}
    {% do create_schema(api.Relation.create(database=target.get('database'), schema=environment_schema(schema))) %}
  {% endfor %}
  {% for name, columns in records.items() %}
    {% set relation = portmesh.record_table(name) %}
    {% if load_relation(relation) %}
      {% set names = portmesh.table_columns(relation) | map(attribute='name') | map('lower') | list %}
      {% for column, type in portmesh.missing_columns(names, columns).items() %}
        {% do portmesh.engine_macro('add_column')(relation, column, type) %}
      {% endfor %}
    {% else %}
      {% do portmesh.engine_macro('create_record_table')(relation, columns) %}
    {% endif %}
  {% endfor %}
{% endmacro %}
