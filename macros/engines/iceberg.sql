{# Spark and Athena: a port is an Iceberg table in Glue, a version is a snapshot of it, and a candidate is a version that
   only its writer sees. spark.sql and athena.sql add what differs: how a candidate is opened, published and left. #}

{% macro default__place_candidate(port, current, increment) %}
  {% set exists = portmesh.has_iceberg_table(port.relation) %}
  {% set is_beside = not exists or (not increment and portmesh.of_engine('changes_beside')(port)) %}
  {% set whole = portmesh.version_relation(port, port.version) if is_beside else portmesh.branch_relation(port) %}
  {% do port.update({
      'base': port.version, 'exists': exists, 'is_beside': is_beside, 'whole': whole,
      'candidate': portmesh.version_relation(port, port.version ~ '__increment') if increment else whole,
      'pointer': portmesh.published_pointer(port) if exists else none,
  }) %}
{% endmacro %}

{% macro has_iceberg_table(relation) %}
  {% set existing = load_relation(relation) %}
  {% if existing and (existing.type != 'table' or not portmesh.is_iceberg_table(existing)) %}
    {% do exceptions.raise_dependency_error(
        relation.schema ~ '.' ~ relation.identifier ~ ' was not written: what stands there is no Iceberg table ('
        ~ existing.type ~ '), and Portmesh replaces nothing that it has not made.\n\n'
        ~ '  next   move it away or drop it, then build again') %}
  {% endif %}
  {{ return(existing is not none) }}
{% endmacro %}

{% macro default__write_candidate(port, sql) %}
  {% set rows = portmesh.typed_rows(port, sql) %}
  {% if port.candidate == port.whole and not port.is_beside %}
    {% do portmesh.open_branch(port) %}
    {% do portmesh.overwrite_branch(port, port.whole, rows) %}
  {% else %}
    {% set becomes_the_port = port.candidate == port.whole and not port.exists %}
    {% do portmesh.create_iceberg_table(port.candidate, rows, port.relation if becomes_the_port else port.candidate) %}
  {% endif %}
{% endmacro %}

{# tinyint and smallint are int in Iceberg, so a column that was once stored comes back as int. #}
{% macro default__is_of_type(type, wanted) %}
  {{- return(type == wanted or (type in ['int', 'integer'] and wanted in ['tinyint', 'smallint'])) -}}
{% endmacro %}

{# The cast refuses what a tinyint or smallint cannot hold, though both are stored as int. #}
{% macro typed_rows(port, sql) %}
  {%- set casts = [] -%}
  {%- for column in port.columns -%}
    {%- set name = adapter.quote(column.name) -%}
    {%- set typed = 'cast(' ~ name ~ ' as ' ~ portmesh.engine_type(column.data_type) ~ ')' -%}
    {%- do casts.append((typed if column.data_type not in ['tinyint', 'smallint'] else 'cast(' ~ typed ~ ' as int)') ~ ' as ' ~ name) -%}
  {%- endfor -%}
  {{- return('select ' ~ casts | join(', ') ~ ' from (\n' ~ sql ~ '\n) as model') -}}
{% endmacro %}

{% macro default__described_type(data_type) %}{{ return(portmesh.engine_type(data_type) | replace(' ', '')) }}{% endmacro %}

{% macro default__table_columns(relation) %}{{ return(portmesh.describe_query('select * from ' ~ relation)) }}{% endmacro %}

{# [(macro, column, type)] that make a table's columns those of the contract: only changes that no reader can break on. #}
{% macro schema_changes(port, relation) %}
  {% set wider = {'int': ['bigint'], 'integer': ['bigint'], 'float': ['double'], 'real': ['double']} %}
  {% set have, rows = {}, [] %}
  {% for column in portmesh.table_columns(relation) %}{% do have.update({column.name | lower: column.type}) %}{% endfor %}
  {% set changes = [] %}
  {% for column in portmesh.contract_columns(port) %}
    {% set old, data_type = have.pop(column.name | lower, none), port.columns[loop.index0].data_type %}
    {% if old is none %}
      {% do changes.append([portmesh.add_column, column.name, data_type]) %}
    {% elif column.type in wider.get(old, []) or portmesh._is_wider_decimal(old, column.type) %}
      {% do changes.append([portmesh.widen_column, column.name, data_type]) %}
    {% elif not portmesh.is_of_type(old, column.type) %}
      {% do rows.append([column.name, data_type, old]) %}
    {% endif %}
  {% endfor %}
  {% for name, type in have.items() %}{% do rows.append([name, 'not declared', type]) %}{% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its contract (' ~ port.contract_path ~ ') takes away what consumers read.\n\n'
        ~ portmesh.text_table(['column', 'contract', 'published'], rows)
        ~ '\n\n  allowed         new columns; int to bigint; a decimal with more digits before the point\n'
        ~ '  next            publish it as a new model version, beside this one (versions: in the YAML)') %}
  {% endif %}
  {{ return(changes) }}
{% endmacro %}

{% macro evolve_schema(relation, changes) %}
  {% for change, name, data_type in changes %}{% do change(relation, name, data_type) %}{% endfor %}
{% endmacro %}

{% macro _is_wider_decimal(old, new) %}
  {% set pattern = 'decimal\\((\\d+), ?(\\d+)\\)' %}
  {% set before, after = modules.re.match(pattern, old), modules.re.match(pattern, new) %}
  {{ return(before and after and before.group(2) == after.group(2) and before.group(1) | int < after.group(1) | int) }}
{% endmacro %}

{# Rows of the increment replace published rows of the same key. #}
{% macro default__apply_increment(port) %}
  {% set shares_key = portmesh.shares_key(port.quoted_key, port.candidate) %}
  {% do portmesh.open_branch(port) %}
  {% if portmesh.count_rows('(select 1 from ' ~ port.whole ~ ' where ' ~ shares_key ~ ') as replaced') %}
    {% do portmesh.execute_sql('delete from ' ~ port.whole ~ ' where ' ~ shares_key) %}
  {% endif %}
  {% set columns = portmesh.column_list(port) %}
  {% do portmesh.insert_rows(port.node, port.whole, ' (' ~ columns ~ ')', 'select ' ~ columns ~ ' from ' ~ port.candidate, port.candidate) %}
{% endmacro %}

{% macro default__withdraw_increment(attempt) %}{% endmacro %}

{# Of an increment; the table of any other is the version itself. #}
{% macro default__drop_candidate(port) %}{% do portmesh.drop_table(port.candidate) %}{% endmacro %}

{% macro default__finish_publication(port) %}
  {% do portmesh.of_engine('tag_contract_version')(port, 'v' ~ port.contract_version, none) %}
  {% if port.candidate != port.whole %}{% do portmesh.drop_candidate(port) %}{% endif %}
{% endmacro %}

{# An increment without rows opens no branch: what was refused is what is published. #}
{% macro default__refused_relation(attempt) %}
  {{- return(attempt.port.whole if attempt.kind == 'full' or attempt.written else attempt.port.relation) -}}
{% endmacro %}

{# Glue has lower-case names alone. #}
{% macro default__table_name(name) %}{{ return(name | lower) }}{% endmacro %}

{% macro default__published_rows(port, version) %}{{ return(port.relation) }}{% endmacro %}

{# Not so after a maintenance, or a change that was made without Portmesh: then nothing of the old rows is taken as proved. #}
{% macro default__reads_as_recorded(port, current) %}
  {{ return(current.snapshot_id is not none and portmesh.current_snapshot(port) == current.snapshot_id | int) }}
{% endmacro %}

{% macro default__publish_version(port) %}
  {% do portmesh.assert_not_overtaken(port) %}
  {% if not port.exists %}
    {% do portmesh.rename_table(port.whole, port.relation) %}
  {% elif port.is_beside %}
    {% do portmesh.of_engine('publish_changed')(port) %}
  {% else %}
    {% do portmesh.publish_branch(port) %}
  {% endif %}
{% endmacro %}

{# Another run of this port may have published since this one began, or have made it. #}
{% macro assert_not_overtaken(port) %}
  {% set is_as_it_was = portmesh.published_pointer(port) == port.pointer if port.exists
      else port.alias not in portmesh.of_engine('tables_in')(port.relation.schema) %}
  {% if not is_as_it_was %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not published: another run has written it since this one began, and its rows would be lost.\n\n'
        ~ '  the candidate   ' ~ port.whole.schema ~ '.' ~ port.whole.identifier ~ '\n'
        ~ '  next            dbt build --select ' ~ port.node.name ~ '+') %}
  {% endif %}
{% endmacro %}

{# A port that has no version yet gets an empty table for --empty and --sample runs to read. #}
{% macro default__publish_shell(port) %}
  {% do portmesh.create_iceberg_table(port.relation, portmesh.typed_rows(port, portmesh.contract_query(port)) ~ ' where false', port.relation) %}
{% endmacro %}

{% macro default__can_restore(port, current, previous) %}
  {% set kept = portmesh.published_versions(port)[:portmesh.versions_to_keep(port.node)] | map(attribute='version') | list %}
  {{ return(previous.version in kept and previous.snapshot_id is not none
      and previous.snapshot_id | int in portmesh.list_snapshots(port)) }}
{% endmacro %}

{# Candidates of this port that recorded runs left; of a run without a record one cannot tell whether it is still at work. #}
{% macro default__drop_superseded_versions(port) %}
  {% set refused = [] %}
  {% for row in port.attempts if row['verdict'] == 'refused' %}{% do refused.append(row['version']) %}{% endfor %}
  {% set left = portmesh.list_versions(port) if refused else [] %}
  {% for version in refused[:20] %}
    {% for name in left if name == version or name.startswith(version ~ '__') %}
      {% do portmesh.drop_version(port, name) %}
    {% endfor %}
  {% endfor %}
{% endmacro %}

{% macro default__create_records(schemas, records) %}
  {% set existing = portmesh.existing_schemas() %}
  {% for schema in schemas if environment_schema(schema) not in existing %}
    {% do create_schema(api.Relation.create(database=target.get('database'), schema=environment_schema(schema))) %}
  {% endfor %}
  {% for name, columns in records.items() if not load_relation(portmesh.record_table(name)) %}
    {% do portmesh.create_record_table(portmesh.record_table(name), columns) %}
  {% endfor %}
{% endmacro %}

{% macro default__replace_table(relation, sql) %}
  {% do portmesh.drop_table(relation) %}
  {% do portmesh.create_iceberg_table(relation, portmesh.storable_rows(sql), relation) %}
{% endmacro %}

{# The checks as one statement of dbt's own test SQL, a row each, beside the count of all rows. A check that the published
   version was not measured with is looked at alone first, so that the one whose SQL is broken is named. Thirty at a time:
   an engine takes no statement of any length. #}
{% macro default__run_checks(port, checks, audited) %}
  {% set started_at = modules.datetime.datetime.now() %}
  {% if not checks %}{{ return(portmesh.count_rows(audited)) }}{% endif %}
  {% set counts = [] %}
  {% for group in checks | batch(30) %}{% do counts.append(portmesh._run_together(port, group, audited)) %}{% endfor %}
  {% set seconds = (modules.datetime.datetime.now() - started_at).total_seconds() %}
  {% for check in checks %}{% do check.update({'seconds': seconds / checks | length}) %}{% endfor %}
  {{ return(counts[0]) }}
{% endmacro %}

{% macro _run_together(port, checks, audited) %}
  {% set no_buckets = 'cast(null as ' ~ portmesh.engine_type('string') ~ ') as buckets' %}
  {% set parts = ['select 0 as place, count(*) as failures, false as should_warn, false as should_error, ' ~ no_buckets ~ ' from ' ~ audited] %}
  {% for check in checks %}
    {% set sql = portmesh.compile_check(port, check, check.reads) %}
    {% if not check.is_known %}{% do try_or_compiler_error(portmesh.broken_check(port, check, sql), portmesh.analyse_query, portmesh.test_sql(check, sql)) %}{% endif %}
    {% set quick = portmesh.quick_form(port, check) %}
    {% do check.update({'is_quick': quick is not none}) %}
    {% set measured = portmesh._measured_buckets(check, quick) if check.buckets
        else portmesh.test_sql(check, quick or sql) %}
    {% do parts.append('select ' ~ loop.index ~ ' as place, ' ~ portmesh._whole_failures(check) ~ ', should_warn, should_error, '
        ~ ('buckets' if check.buckets else no_buckets) ~ ' from (\n' ~ measured ~ '\n) as measured') %}
  {% endfor %}
  {% set results = portmesh.query(parts | join('\nunion all\n') ~ '\norder by place') %}
  {% for check in checks %}
    {% set result = results.limit(loop.index, loop.index + 1).exclude(['place', 'buckets']) %}
    {% do check.update({'result': result}) %}
    {% if check.is_quick and result.rows[0]['failures'] != 0 %}
      {% if check.buckets %}{% do check.update({'in_buckets': portmesh._in_buckets(check, results.rows[loop.index])}) %}{% endif %}
      {% do portmesh.run_check(port, check, portmesh.narrowed(check.reads, check)) %}
    {% endif %}
  {% endfor %}
  {{ return(results.rows[0]['failures'] | int) }}
{% endmacro %}

{# One check's decimals would make decimals of the counts of all; NULL where it is no whole number. #}
{% macro _whole_failures(check) %}
  {{- return('failures' if check.fail_calc == 'count(*)'
      else 'case when failures = floor(failures) then cast(failures as bigint) end as failures') -}}
{% endmacro %}

{# SQL that has rows if and only if dbt's has, which then counts; none where there is no quicker form, or the port was small
   when it was last published.
   `relationships`: dbt's own on the values, each once. `unique`: keys in buckets. #}
{% macro quick_form(port, check) %}
  {% set types = {} %}{% for c in port.columns %}{% do types.update({c.name: c.data_type}) %}{% endfor %}
  {% if check.column not in types or check.fail_calc != 'count(*)' or check.limit or port.is_small %}{{ return(none) }}{% endif %}
  {% if check.macro == 'macro.dbt.test_relationships' %}
    {% set values = '(select distinct ' ~ check.column ~ ' from ' ~ portmesh.filtered(check.reads, check.where) ~ ')' %}
    {{ return(portmesh.compile_check(port, check, check.reads, values)) }}
  {% elif check.macro == 'macro.dbt.test_unique' %}
    {% do check.update({'buckets': portmesh._buckets_of(check.column, types[check.column])}) %}
    {{ return(portmesh._buckets_with_duplicates(check, check.reads) if check.buckets else none) }}
  {% endif %}
  {{ return(none) }}
{% endmacro %}

{# {key, holds_duplicates, keys_in_a_row} of the buckets into which keys fall: of integers, words of 64 keys, one bit each,
   where as many bits are set as there are rows; of texts, hashes. None for other types. #}
{% macro _buckets_of(column, type) %}
  {% if type in ['tinyint', 'smallint', 'int', 'bigint'] %}{{ return(portmesh.of_engine('word_buckets')(column)) }}{% endif %}
  {{ return(portmesh.of_engine('hash_buckets')(column) if type == 'string' else none) }}
{% endmacro %}

{# Rows if and only if a key stands twice. #}
{% macro _buckets_with_duplicates(check, relation) -%}
  select {{ check.buckets.key }} as bucket
  from {{ portmesh.filtered(relation, check.where) }}
  where {{ check.column }} is not null
  group by 1
  having {{ check.buckets.holds_duplicates }}
{%- endmacro %}

{# How many buckets hold duplicates, and which: the lowest and the highest of each thousandth of them, so that the list is
   short however many there are. As dbt's get_test_sql names and decides. #}
{% macro _measured_buckets(check, buckets) -%}
  select coalesce(sum(held), 0) as failures, coalesce(sum(held), 0) {{ check.warn_if }} as should_warn,
    coalesce(sum(held), 0) {{ check.error_if }} as should_error,
    array_join(array_agg(cast(lowest as {{ portmesh.engine_type('string') }})), ' ') || ' '
      || array_join(array_agg(cast(highest as {{ portmesh.engine_type('string') }})), ' ') as buckets
  from (
    select mod(bucket, 1000) as slot, min(bucket) as lowest, max(bucket) as highest, count(*) as held
    from ({{ buckets }}) as found group by 1
  ) as slots
{%- endmacro %}

{# Where buckets held something, dbt's own SQL reads only them. #}
{% macro default__narrowed(relation, check) %}
  {{ return('(select * from ' ~ relation ~ ' where ' ~ check.in_buckets ~ ')' if check.in_buckets else relation) }}
{% endmacro %}

{# As literals, so that files whose keys lie elsewhere are passed over; by a subquery where they are too many to be listed. #}
{% macro _in_buckets(check, measured) %}
  {% set found = measured['buckets'].split() | map('int') | unique | list %}
  {% set is_whole = found | length == measured['failures'] and found | length <= 1000 %}
  {% set condition = check.buckets.key ~ ' in (' ~ (found | join(', ') if is_whole else portmesh._buckets_with_duplicates(check, check.reads)) ~ ')' %}
  {% if not check.buckets.keys_in_a_row %}{{ return(condition) }}{% endif %}
  {% set first, last = found | min * check.buckets.keys_in_a_row, (found | max + 1) * check.buckets.keys_in_a_row - 1 %}
  {{ return(check.column ~ ' between ' ~ first ~ ' and ' ~ last ~ ' and ' ~ condition) }}
{% endmacro %}

{# Beside what is there, never over it: a table's files lie below a name of their own. #}
{% macro new_location(relation) %}
  {{- return(portmesh.lake_location(relation.schema) ~ '/' ~ relation.identifier ~ '/' ~ local_md5(invocation_id ~ relation)[:12]) -}}
{% endmacro %}

{% macro lake_location(schema) %}
  {{- return(env_var('PORTMESH_S3_LAKE', 's3://portmesh-lake') ~ '/' ~ schema) -}}
{% endmacro %}

{# What differs between Spark and Athena. adapter.dispatch would ask for a variant on DuckDB too, when dbt parses. #}
{% macro of_engine(name) %}{{ return(context['portmesh'][target.type ~ '__' ~ name]) }}{% endmacro %}

{% macro is_iceberg_table(relation) %}{{ return(portmesh.of_engine('is_iceberg_table')(relation)) }}{% endmacro %}

{% macro branch_relation(port) %}{{ return(portmesh.of_engine('branch_relation')(port)) }}{% endmacro %}

{% macro published_pointer(port) %}{{ return(portmesh.of_engine('published_pointer')(port)) }}{% endmacro %}

{% macro open_branch(port) %}{{ return(portmesh.of_engine('open_branch')(port)) }}{% endmacro %}

{% macro overwrite_branch(port, branch, rows) %}{{ return(portmesh.of_engine('overwrite_branch')(port, branch, rows)) }}{% endmacro %}

{% macro publish_branch(port) %}{{ return(portmesh.of_engine('publish_branch')(port)) }}{% endmacro %}

{# Adds rows; `columns` is their list in brackets, or nothing; `stored` is the table that has just these rows, if there is one. #}
{% macro insert_rows(node, relation, columns, rows, stored) %}{{ return(portmesh.of_engine('insert_rows')(node, relation, columns, rows, stored)) }}{% endmacro %}

{% macro rename_table(from_relation, to_relation) %}{{ return(portmesh.of_engine('rename_table')(from_relation, to_relation)) }}{% endmacro %}

{% macro list_snapshots(port) %}{{ return(portmesh.of_engine('list_snapshots')(port)) }}{% endmacro %}

{# `home` is the relation whose place the files are in: a table that is renamed keeps its location. #}
{% macro create_iceberg_table(relation, rows, home) %}{{ return(portmesh.of_engine('create_iceberg_table')(relation, rows, home)) }}{% endmacro %}

{% macro create_record_table(relation, columns) %}{{ return(portmesh.of_engine('create_record_table')(relation, columns)) }}{% endmacro %}

{% macro add_column(relation, name, data_type) %}{{ return(portmesh.of_engine('add_column')(relation, name, data_type)) }}{% endmacro %}

{% macro widen_column(relation, name, data_type) %}{{ return(portmesh.of_engine('widen_column')(relation, name, data_type)) }}{% endmacro %}

{# A version, or the rows of an increment, which are a table of their own. #}
{% macro drop_unless_shared(relation) %}
  {% do (portmesh.drop_table if modules.re.search('__(increment|rows)$', relation.identifier) else portmesh.forget_table)(relation) %}
{% endmacro %}

{# A table whose files are no other name's: it goes with them. #}
{% macro drop_table(relation) %}{{ return(portmesh.of_engine('drop_table')(relation)) }}{% endmacro %}

{# The name alone, since its files may be those of the port. What no name has then, `portmesh clean` finds. #}
{% macro forget_table(relation) %}{{ return(portmesh.of_engine('forget_table')(relation)) }}{% endmacro %}

{# A table has each name once, and fewer types than a query gives. #}
{% macro storable_rows(sql) %}
  {% set columns = portmesh.describe_query(sql) %}
  {% set places, names, casts = portmesh.column_places(columns), [], [] %}
  {% for column in columns %}
    {% set name = column.name if column.name | lower not in names else column.name ~ '_' ~ loop.index %}
    {% do names.append(name | lower) %}
    {% do casts.append('cast(' ~ places[loop.index0] ~ ' as ' ~ portmesh.of_engine('storable_type')(column.type) ~ ') as ' ~ adapter.quote(name)) %}
  {% endfor %}
  {{ return('select ' ~ casts | join(', ') ~ ' from (\n' ~ sql ~ '\n) as failing (' ~ places | join(', ') ~ ')') }}
{% endmacro %}

{# Names for columns that may have none, or one twice: column_1, column_2 and so on. #}
{% macro column_places(columns) %}
  {% set places = [] %}
  {% for _ in columns %}{% do places.append('column_' ~ loop.index) %}{% endfor %}
  {{ return(places) }}
{% endmacro %}

{% macro analyse_query(sql) %}{{ return(portmesh.of_engine('analyse_query')(sql)) }}{% endmacro %}

{% macro existing_schemas() %}{{ return(portmesh.of_engine('existing_schemas')()) }}{% endmacro %}
