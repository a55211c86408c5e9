{# DuckDB: a port is a view on a version table; every change of it is one transaction. #}

{% macro duckdb__describe_query(sql) %}
  {% set columns = [] %}
  {% for row in run_query('describe select * from (\n' ~ sql ~ '\n) as described').rows %}
    {% do columns.append({'name': row['column_name'], 'type': row['column_type']}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro duckdb__write_candidate(port, sql) %}
  {% do portmesh.execute_sql('create table ' ~ port.candidate ~ ' as select ' ~ portmesh.column_list(port) ~ ' from (\n' ~ sql ~ '\n) as model') %}
{% endmacro %}

{# Rows of the increment replace published rows of the same key. The rows replaced are kept for the way back. #}
{% macro duckdb__apply_increment(port, current) %}
  {% set base = portmesh.version_relation(port, current.base) %}
  {% set replaced = portmesh.version_relation(port, port.version ~ '__replaced') %}
  {% set shares_key = portmesh._shares_key(port.quoted_key, port.candidate) %}
  {% do portmesh.execute_sql('create table ' ~ replaced ~ ' as select * from ' ~ base ~ ' where ' ~ shares_key) %}
  {% if portmesh.count_rows(replaced) %}{% do portmesh.execute_sql('delete from ' ~ base ~ ' where ' ~ shares_key) %}{% endif %}
  {% do portmesh.execute_sql('insert into ' ~ base ~ ' by name select * from ' ~ port.candidate) %}
{% endmacro %}

{% macro duckdb__withdraw_increment(attempt) %}
  {% do run_query('rollback') %}
  {% do run_query('begin') %}
{% endmacro %}

{% macro duckdb__undo_increment(port, version) %}
  {% set base = portmesh.version_relation(port, version.base) %}
  {% set increment = portmesh.version_relation(port, version.version) %}
  {% do portmesh.execute_sql('delete from ' ~ base ~ ' where ' ~ portmesh._shares_key(port.quoted_key, increment)) %}
  {% do portmesh.execute_sql('insert into ' ~ base ~ ' by name select * from ' ~ portmesh.version_relation(port, version.version ~ '__replaced')) %}
{% endmacro %}

{# The whole that was refused: the candidate, or the published rows with the increment in their place. #}
{% macro duckdb__refused_relation(attempt) %}
  {% set port = attempt.port %}
  {% if attempt.kind == 'full' %}{{ return(port.candidate) }}{% endif %}
  {% set columns = portmesh.column_list(port) %}
  {{ return('(select ' ~ columns ~ ' from ' ~ portmesh.version_relation(port, attempt.base)
      ~ ' where (' ~ portmesh._shares_key(port.quoted_key, port.candidate) ~ ') is not true'
      ~ ' union all select ' ~ columns ~ ' from ' ~ port.candidate ~ ')') }}
{% endmacro %}

{% macro duckdb__rows_sharing_keys(port, relation, columns) %}
  {{ return('(select * from ' ~ relation ~ ' where ' ~ portmesh._shares_key(columns, port.candidate) ~ ')') }}
{% endmacro %}

{# The bounds come as literals, so that whole row groups of the port are passed over. A key is the SQL of a column or more. #}
{% macro _shares_key(keys, increment) %}
  {%- set bounds = [] -%}
  {%- for key in keys -%}{%- do bounds.append('min(' ~ key ~ ')::varchar, max(' ~ key ~ ')::varchar') -%}{%- endfor -%}
  {%- set values = run_query('select ' ~ bounds | join(', ') ~ ' from ' ~ increment).rows[0] -%}
  {%- set conditions = [] -%}
  {%- for key in keys -%}
    {%- set low, high = values[2 * loop.index0], values[2 * loop.index0 + 1] -%}
    {%- if low is not none -%}
      {%- do conditions.append('(' ~ key ~ ') between ' ~ portmesh._literal(low) ~ ' and ' ~ portmesh._literal(high)) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set row = '(' ~ keys | join(', ') ~ ')' -%}
  {%- do conditions.append(row ~ ' in (select ' ~ row ~ ' from ' ~ increment ~ ')') -%}
  {{- return(conditions | join(' and ')) -}}
{% endmacro %}

{# Keys fall into buckets; a bucket whose keys are all different has no duplicates. Dense integers: 65,536 keys a bucket,
   one bit each, and as many bits set as rows. Anything else but sparse integers: a bucket for each 64-bit hash. #}
{% macro duckdb__narrow_to_duplicates(relation, check) %}
  {% set k = check.column %}
  {% set rows = portmesh.filtered(relation, check.where) %}
  {% if portmesh.describe_query('select ' ~ k ~ ' from ' ~ rows)[0].type in ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'] %}
    {% set facts = run_query('select count(' ~ k ~ '), min(' ~ k ~ '), max(' ~ k ~ ') from ' ~ rows).rows[0] %}
    {% if not facts[0] or (facts[2] - facts[1]) / 65536 > 16 + facts[0] / 1000 %}{{ return(relation) }}{% endif %}
    {% set bucket = k ~ ' >> 16' %}
    {% set holds_duplicates = 'count(*) <> bit_count(bitstring_agg((' ~ k ~ ' & 65535)::int, 0, 65535))' %}
  {% else %}
    {% set bucket, holds_duplicates = 'hash(' ~ k ~ ')', 'count(*) > 1' %}
  {% endif %}
  {{ return('(select * from ' ~ relation ~ ' where ' ~ bucket ~ ' in (select ' ~ bucket ~ ' from ' ~ rows
      ~ ' where ' ~ k ~ ' is not null group by 1 having ' ~ holds_duplicates ~ '))') }}
{% endmacro %}

{% macro duckdb__publish_version(port, base) %}
  {% set existing = load_relation(port.relation) %}
  {% if existing and existing.type != 'view' %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% do portmesh.execute_sql('create or replace view ' ~ port.relation ~ ' as select ' ~ portmesh.column_list(port) ~ ' from ' ~ portmesh.version_relation(port, base)) %}
{% endmacro %}

{% macro duckdb__publish_shell(port) %}
  {% do portmesh.execute_sql('create view ' ~ port.relation ~ ' as select * from (' ~ portmesh.contract_query(port) ~ ') as contract where false') %}
{% endmacro %}

{% macro duckdb__list_versions(port) %}
  {% set query %}
    select table_name from duckdb_tables()
    where database_name = '{{ port.relation.database }}' and schema_name = '{{ port.internal_schema }}'
      and regexp_full_match(table_name, '{{ modules.re.escape(port.alias) }}__\d{8}_\d{6}_[0-9a-f]{6}(__replaced)?')
  {% endset %}
  {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{% macro duckdb__drop_version(port, name) %}
  {% do portmesh.execute_sql('drop table ' ~ portmesh.version_relation(port, name)) %}
{% endmacro %}

{% macro duckdb__replace_table(relation, sql) %}
  {% set existing = load_relation(relation) %}
  {% if existing and existing.type != 'table' %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% do portmesh.execute_sql('create or replace table ' ~ relation ~ ' as select * from (\n' ~ sql ~ '\n) as failing') %}
{% endmacro %}
