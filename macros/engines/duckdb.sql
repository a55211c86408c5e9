{# DuckDB: a port is a view on a version table; every change of it is one transaction. #}

{% macro duckdb__describe_query(sql) %}
  {% set columns = [] %}
  {% for row in portmesh.query('describe select * from (\n' ~ sql ~ '\n) as described').rows %}
    {% do columns.append({'name': row['column_name'], 'type': row['column_type']}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro duckdb__described_type(data_type) %}
  {{- return({'string': 'VARCHAR', 'int': 'INTEGER'}.get(data_type, data_type | upper | replace(' ', ''))) -}}
{% endmacro %}

{% macro duckdb__engine_type(data_type) %}{{ return(data_type) }}{% endmacro %}

{% macro duckdb__table_name(name) %}{{ return(name) }}{% endmacro %}

{% macro duckdb__stored_type(data_type) %}{{ return(data_type) }}{% endmacro %}

{% macro duckdb__is_of_type(type, wanted) %}{{ return(type == wanted) }}{% endmacro %}

{% macro duckdb__place_candidate(port, current, increment) %}
  {% set base = current.base if increment else port.version %}
  {% do port.update({'base': base, 'candidate': portmesh.version_relation(port, port.version), 'whole': portmesh.version_relation(port, base)}) %}
{% endmacro %}

{% macro duckdb__write_candidate(port, sql) %}
  {% do portmesh.execute_sql('create table ' ~ port.candidate ~ ' as select ' ~ portmesh.column_list(port) ~ ' from (\n' ~ sql ~ '\n) as model') %}
{% endmacro %}

{# Rows of the increment replace published rows of the same key. The rows replaced are kept for the way back. #}
{% macro duckdb__apply_increment(port) %}
  {% set replaced = portmesh.version_relation(port, port.version ~ '__replaced') %}
  {% set shares_key = portmesh.shares_key(port.quoted_key, port.candidate) %}
  {% do portmesh.execute_sql('create table ' ~ replaced ~ ' as select * from ' ~ port.whole ~ ' where ' ~ shares_key) %}
  {% if portmesh.count_rows(replaced) %}{% do portmesh.execute_sql('delete from ' ~ port.whole ~ ' where ' ~ shares_key) %}{% endif %}
  {% do portmesh.execute_sql('insert into ' ~ port.whole ~ ' by name select * from ' ~ port.candidate) %}
{% endmacro %}

{% macro duckdb__withdraw_increment(attempt) %}
  {% do portmesh.query('rollback') %}
  {% do portmesh.query('begin') %}
{% endmacro %}

{# The whole that was refused: the candidate, or the published rows with the increment in their place. #}
{% macro duckdb__refused_relation(attempt) %}
  {% set port = attempt.port %}
  {% if attempt.kind == 'full' %}{{ return(port.candidate) }}{% endif %}
  {% set columns = portmesh.column_list(port) %}
  {{ return('(select ' ~ columns ~ ' from ' ~ port.whole
      ~ ' where (' ~ portmesh.shares_key(port.quoted_key, port.candidate) ~ ') is not true'
      ~ ' union all select ' ~ columns ~ ' from ' ~ port.candidate ~ ')') }}
{% endmacro %}

{% macro duckdb__published_rows(port, version) %}{{ return(portmesh.version_relation(port, version.base)) }}{% endmacro %}

{% macro duckdb__kept_rows(port, version) %}{{ return(portmesh.version_relation(port, version.base)) }}{% endmacro %}

{% macro duckdb__reads_as_recorded(port, current) %}{{ return(true) }}{% endmacro %}

{# One by one: a statement costs next to nothing, and the one that cannot be run is named. #}
{% macro duckdb__run_checks(port, checks, audited) %}
  {% for check in checks %}
    {% set started_at = modules.datetime.datetime.now() %}
    {% do portmesh.run_check(port, check, portmesh.narrowed(check.reads, check)) %}
    {% do check.update({'seconds': (modules.datetime.datetime.now() - started_at).total_seconds()}) %}
  {% endfor %}
  {{ return(portmesh.count_rows(audited)) }}
{% endmacro %}

{# Keys fall into buckets; a bucket whose keys are all different has no duplicates. Dense integers: 65,536 keys a bucket,
   one bit each, and as many bits set as rows. Anything else but sparse integers: a bucket for each 64-bit hash. #}
{% macro duckdb__narrowed(relation, check) %}
  {% if check.macro != 'macro.dbt.test_unique' %}{{ return(relation) }}{% endif %}
  {% set k = check.column %}
  {% set rows = portmesh.filtered(relation, check.where) %}
  {% if portmesh.describe_query('select ' ~ k ~ ' from ' ~ rows)[0].type in ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'] %}
    {% set facts = portmesh.query('select count(' ~ k ~ '), min(' ~ k ~ '), max(' ~ k ~ ') from ' ~ rows).rows[0] %}
    {% if not facts[0] or (facts[2] - facts[1]) / 65536 > 16 + facts[0] / 1000 %}{{ return(relation) }}{% endif %}
    {% set bucket = k ~ ' >> 16' %}
    {% set holds_duplicates = 'count(*) <> bit_count(bitstring_agg((' ~ k ~ ' & 65535)::int, 0, 65535))' %}
  {% else %}
    {% set bucket, holds_duplicates = 'hash(' ~ k ~ ')', 'count(*) > 1' %}
  {% endif %}
  {{ return('(select * from ' ~ relation ~ ' where ' ~ bucket ~ ' in (select ' ~ bucket ~ ' from ' ~ rows
      ~ ' where ' ~ k ~ ' is not null group by 1 having ' ~ holds_duplicates ~ '))') }}
{% endmacro %}

{% macro duckdb__publish_version(port) %}
  {% do portmesh._show_version(port, port.base) %}
{% endmacro %}

{% macro _show_version(port, base) %}
  {% set existing = load_relation(port.relation) %}
  {% if existing and existing.type != 'view' %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% do portmesh.execute_sql('create or replace view ' ~ port.relation ~ ' as select ' ~ portmesh.column_list(port) ~ ' from ' ~ portmesh.version_relation(port, base)) %}
{% endmacro %}

{% macro duckdb__finish_publication(port) %}{% endmacro %}

{% macro duckdb__publish_shell(port) %}
  {% do portmesh.execute_sql('create view ' ~ port.relation ~ ' as select * from (' ~ portmesh.contract_query(port) ~ ') as contract where false') %}
{% endmacro %}

{% macro duckdb__current_snapshot(port) %}{{ return(none) }}{% endmacro %}

{% macro duckdb__can_restore(port, current, previous) %}
  {% set kept = portmesh.list_versions(port) %}
  {{ return(previous.base in kept and (current.kind != 'increment' or current.version in kept)) }}
{% endmacro %}

{% macro duckdb__restore_version(port, current, previous) %}
  {% if current.kind == 'increment' %}{% do portmesh._undo_increment(port, current) %}{% endif %}
  {% do portmesh._show_version(port, previous.base) %}
{% endmacro %}

{% macro _undo_increment(port, version) %}
  {% set base = portmesh.version_relation(port, version.base) %}
  {% set increment = portmesh.version_relation(port, version.version) %}
  {% do portmesh.execute_sql('delete from ' ~ base ~ ' where ' ~ portmesh.shares_key(port.quoted_key, increment)) %}
  {% do portmesh.execute_sql('insert into ' ~ base ~ ' by name select * from ' ~ portmesh.version_relation(port, version.version ~ '__replaced')) %}
{% endmacro %}

{% macro duckdb__list_versions(port) %}
  {% set query %}
    select table_name from duckdb_tables()
    where database_name = '{{ port.relation.database }}' and schema_name = '{{ port.internal_schema }}'
      and regexp_full_match(table_name, '{{ modules.re.escape(port.alias) }}__\d{8}_\d{6}_[0-9a-f]{6}(__replaced)?')
  {% endset %}
  {{ return(portmesh.query(query).columns[0].values() | list) }}
{% endmacro %}

{% macro duckdb__drop_version(port, name) %}
  {% do portmesh.execute_sql('drop table ' ~ portmesh.version_relation(port, name)) %}
{% endmacro %}

{% macro duckdb__drop_candidate(port) %}{% do portmesh.drop_version(port, port.version) %}{% endmacro %}

{# What neither the kept versions nor the candidate at hand need: older versions, leftovers of broken runs. #}
{% macro duckdb__drop_superseded_versions(port) %}
  {% set needed = portmesh.needed_versions(port, portmesh.published_versions(port)) + [port.version] %}
  {% for name in portmesh.list_versions(port) if name not in needed %}
    {% do portmesh.drop_version(port, name) %}
  {% endfor %}
{% endmacro %}

{% macro duckdb__replace_table(relation, sql) %}
  {% set existing = load_relation(relation) %}
  {% if existing and existing.type != 'table' %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% do portmesh.execute_sql('create or replace table ' ~ relation ~ ' as select * from (\n' ~ sql ~ '\n) as failing') %}
{% endmacro %}
