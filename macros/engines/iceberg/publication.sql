{# Spark and Athena publish with one change of the table's pointer, and record it afterwards (docs/decisions/0009). #}

{% macro iceberg__publish_version(port, place, changes) %}
  {% do portmesh.iceberg__assert_not_overtaken(port, place) %}
  {% if not place.exists %}
    {% do portmesh.engine_macro('rename_table')(place.result, port.relation) %}
  {% elif place.is_beside %}
    {% do portmesh.engine_macro('publish_beside')(port, place) %}
  {% else %}
    {% do portmesh.engine_macro('publish_branch')(port, place) %}
  {% endif %}
{% endmacro %}

{# Nothing to do: the audit has read the port's own table. #}
{% macro iceberg__show_again(port, current) %}{% endmacro %}

{# Another run may have published or created the port since this one began. #}
{% macro iceberg__assert_not_overtaken(port, place) %}
  {% set is_as_it_was = portmesh.engine_macro('published_pointer')(port) == place.pointer if place.exists
      else port.alias not in portmesh.tables_in(port.relation.schema) %}
  {% if not is_as_it_was %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not published: another run has published or maintained it since this one began, and that'
        ~ ' would be lost.\n\n'
        ~ '  the candidate   ' ~ place.result.schema ~ '.' ~ place.result.identifier ~ '\n'
        ~ '  next            ' ~ portmesh.build_command(port.node)) %}
  {% endif %}
{% endmacro %}

{# Only a hook of the port can have changed it since its publication. #}
{% macro iceberg__assert_published(port, place, row_count) %}
  {% if not post_hooks %}{{ return(none) }}{% endif %}
  {% set recorded, now = portmesh.read_history(port).current.snapshot_id | int, portmesh.current_snapshot(port) %}
  {% if now != recorded %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was published, but its own hook changed it afterwards: consumers read rows that were not'
        ~ ' audited.\n\n'
        ~ '  audited   snapshot ' ~ recorded ~ ', ' ~ '{:,}'.format(row_count) ~ ' rows\n'
        ~ '  now       snapshot ' ~ now ~ '\n'
        ~ '  next      portmesh rollback ' ~ port.label ~ ', remove the hook, then: '
        ~ portmesh.build_command(port.node)) %}
  {% endif %}
{% endmacro %}

{% macro iceberg__finish_publication(port, place) %}
  {% do portmesh.engine_macro('tag_contract_version')(port, 'v' ~ port.contract_version, none) %}
  {% if place.is_increment %}{% do portmesh.drop_candidate(place) %}{% endif %}
{% endmacro %}

{# A port without a version gets an empty table, so that --empty and --sample runs can read it. #}
{% macro iceberg__publish_shell(port) %}
  {% set rows = 'select * from (select ' ~ portmesh.columns_as_contracted(port, []) ~ ') as contract where false' %}
  {% do portmesh.engine_macro('create_iceberg_table')(port.relation, rows, port.relation, port.node) %}
{% endmacro %}

{% macro iceberg__published_rows(port, version) %}{{ return(port.relation) }}{% endmacro %}

{# False after maintenance that is not recorded, or a change made outside Portmesh: then the audit reads the old rows
   again. #}
{% macro iceberg__reads_as_recorded(port, current) %}
  {{ return(current.snapshot_id is not none and portmesh.current_snapshot(port) == current.snapshot_id | int) }}
{% endmacro %}

{% macro iceberg__current_snapshot(port) %}
  {{ return(portmesh.iceberg__snapshot_of(port.relation)) }}
{% endmacro %}

{% macro iceberg__snapshot_of(relation) %}
  {% set refs = portmesh.engine_macro('metadata')(relation, 'refs') %}
  {{ return(portmesh.query('select snapshot_id from ' ~ refs ~ " where name = 'main'").rows[0][0] | int) }}
{% endmacro %}

{% macro iceberg__can_restore(port, history) %}
  {% set previous = history.versions[1] %}
  {% set kept = history.versions[:portmesh.versions_to_keep(port.node)] | map(attribute='version') | list %}
  {% if previous.version not in kept or previous.snapshot_id is none %}{{ return(false) }}{% endif %}
  {{ return(portmesh.iceberg__holder_of_snapshot(port, previous.snapshot_id) is not none) }}
{% endmacro %}

{% macro iceberg__kept_rows(port, current, previous) %}
  {% set holder = portmesh.iceberg__holder_of_snapshot(port, previous.snapshot_id) %}
  {{ return(portmesh.engine_macro('rows_of_snapshot')(holder, previous.snapshot_id)) }}
{% endmacro %}

{# The table that has this snapshot: the port's, or one that Athena kept when it published a new table; none if no table
   has it. #}
{% macro iceberg__holder_of_snapshot(port, snapshot_id) %}
  {% set tables, queries = [port.relation] if load_relation(port.relation) else [], [] %}
  {% for name in portmesh.versions_among(port, portmesh.tables_in(port.internal_schema)) %}
    {% if not modules.re.search('__(increment|rows)$', name) %}
      {% do tables.append(portmesh.version_relation(port, name)) %}
    {% endif %}
  {% endfor %}
  {% for table in tables %}
    {% set snapshots = portmesh.engine_macro('metadata')(table, 'snapshots') %}
    {% do queries.append(
        'select ' ~ loop.index0 ~ ' as place from ' ~ snapshots ~ ' where snapshot_id = ' ~ snapshot_id | int) %}
  {% endfor %}
  {% set query = queries | join('\nunion all\n') ~ '\norder by place' %}
  {% set found = portmesh.query(query).columns[0].values() | list if queries else [] %}
  {{ return(tables[found[0] | int] if found else none) }}
{% endmacro %}

{# Looks at the tables' snapshots, not their names, because a killed run leaves no record of the table that it kept. #}
{% macro iceberg__tables_with_snapshots(port, snapshot_ids) %}
  {% set names = [] %}
  {% for snapshot_id in snapshot_ids %}
    {% set holder = portmesh.iceberg__holder_of_snapshot(port, snapshot_id) %}
    {% if holder %}{% do names.append(holder.identifier) %}{% endif %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}
