{# The macros that every engine has to provide. Each macro here only calls the engine's own macro, with the same
   arguments; engine_macro.sql finds it in the engine's folder, or in iceberg/, which Spark and Athena share. An engine
   only executes what it is given and never calls the audit. `port` comes from describe_port, `place` from
   place_candidate, and `version` is a publication from read_history. #}

{# ---- Types, names, values ---- #}
{# The engine's type, in a cast, for a type in the contract. #}
{% macro engine_type(data_type) %}{{ return(portmesh.engine_macro('engine_type')(data_type)) }}{% endmacro %}
{# The same type, as describe_query names it. #}
{% macro described_type(data_type) %}{{ return(portmesh.engine_macro('described_type')(data_type)) }}{% endmacro %}
{# The same type, as it is written to create a table. #}
{% macro stored_type(data_type) %}{{ return(portmesh.engine_macro('stored_type')(data_type)) }}{% endmacro %}
{# The contract's type for a type that describe_query or table_columns returns. #}
{% macro portable_type(type) %}{{ return(portmesh.engine_macro('portable_type')(type)) }}{% endmacro %}
{# Whether a column of this type fits the contract's type. #}
{% macro is_of_type(type, wanted) %}{{ return(portmesh.engine_macro('is_of_type')(type, wanted)) }}{% endmacro %}
{# A text as an SQL literal. #}
{% macro text_literal(value) %}{{ return(portmesh.engine_macro('text_literal')(value)) }}{% endmacro %}
{# A name as the engine's catalog stores it. #}
{% macro table_name(name) %}{{ return(portmesh.engine_macro('table_name')(name)) }}{% endmacro %}

{# ---- Existing relations ---- #}
{# The columns of a query, [{name, type}]. Reads no rows. #}
{% macro describe_query(sql) %}{{ return(portmesh.engine_macro('describe_query')(sql)) }}{% endmacro %}
{# The columns of a table, [{name, type}]. Costs nothing. #}
{% macro table_columns(relation) %}{{ return(portmesh.engine_macro('table_columns')(relation)) }}{% endmacro %}
{# Fails if the engine cannot resolve a query. Reads no rows. #}
{% macro analyse_query(sql) %}{{ return(portmesh.engine_macro('analyse_query')(sql)) }}{% endmacro %}
{# A pre-hook of each model, also called before an audit, because an operation has no pre-hooks. On an engine that
   stores views as tables, it refreshes the views that the node reads and the run does not build. #}
{% macro refresh_views(node) %}{{ return(portmesh.engine_macro('refresh_views')(node)) }}{% endmacro %}
{# The names of the tables in an existing schema. #}
{% macro tables_in(schema) %}{{ return(portmesh.engine_macro('tables_in')(schema)) }}{% endmacro %}
{% macro existing_schemas() %}{{ return(portmesh.engine_macro('existing_schemas')()) }}{% endmacro %}
{# The bytes that this connection has read so far; none if the engine does not report them. #}
{% macro bytes_read_so_far() %}{{ return(portmesh.engine_macro('bytes_read_so_far')()) }}{% endmacro %}

{# ---- A candidate ---- #}
{# Where the run writes: {version, base, candidate, result, exists, is_beside, pointer}. `candidate` is for the model's
   rows, and `result` is the port as it will be; they differ only for an increment. `changes` comes from
   compare_contracts. #}
{% macro place_candidate(port, current, increment, changes) %}
  {{ return(portmesh.engine_macro('place_candidate')(port, current, increment, changes)) }}
{% endmacro %}
{% macro write_candidate(port, place, sql, changes) %}
  {{ return(portmesh.engine_macro('write_candidate')(port, place, sql, changes)) }}
{% endmacro %}
{# Creates `place.result` for an increment, where no consumer reads it yet: the published rows plus the increment's,
   which replace published rows with the same key. #}
{% macro compose_result(port, place, changes) %}
  {{ return(portmesh.engine_macro('compose_result')(port, place, changes)) }}
{% endmacro %}
{% macro drop_candidate(place) %}{{ return(portmesh.engine_macro('drop_candidate')(place)) }}{% endmacro %}

{# ---- What consumers read ---- #}
{# The rows that consumers read now. #}
{% macro published_rows(port, version) %}
  {{ return(portmesh.engine_macro('published_rows')(port, version)) }}
{% endmacro %}
{# The rows of `previous`, the version before `current`, as SQL to select from. #}
{% macro kept_rows(port, current, previous) %}
  {{ return(portmesh.engine_macro('kept_rows')(port, current, previous)) }}
{% endmacro %}
{# Whether the rows that consumers read are those of the newest record. #}
{% macro reads_as_recorded(port, current) %}
  {{ return(portmesh.engine_macro('reads_as_recorded')(port, current)) }}
{% endmacro %}
{# The Iceberg snapshot that consumers read; none on an engine without snapshots. #}
{% macro current_snapshot(port) %}{{ return(portmesh.engine_macro('current_snapshot')(port)) }}{% endmacro %}

{# ---- The audit's statements ---- #}
{# The number of checks in one statement. #}
{% macro checks_at_once(is_increment) %}
  {{ return(portmesh.engine_macro('checks_at_once')(is_increment)) }}
{% endmacro %}
{# {key, holds_duplicates, keys_in_a_row}: SQL that groups a column's keys into buckets, so that in a bucket without
   duplicates no key occurs twice. None if the engine has no such SQL for the type. `rows` is what the check reads. #}
{% macro key_buckets(column, data_type, rows) %}
  {{ return(portmesh.engine_macro('key_buckets')(column, data_type, rows)) }}
{% endmacro %}
{# An aggregate that joins the texts of an expression with blanks. #}
{% macro joined_texts(expression) %}{{ return(portmesh.engine_macro('joined_texts')(expression)) }}{% endmacro %}

{# ---- The comparison of rows ---- #}
{# A value for an exact comparison with `is distinct from`: texts by their bytes. #}
{% macro compared_value(value, data_type) %}
  {{ return(portmesh.engine_macro('compared_value')(value, data_type)) }}
{% endmacro %}
{# A value as text, for people. #}
{% macro shown_value(value, data_type) %}
  {{ return(portmesh.engine_macro('shown_value')(value, data_type)) }}
{% endmacro %}
{# A condition of a join: two values are equal, or both are null. #}
{% macro are_same(value, other) %}{{ return(portmesh.engine_macro('are_same')(value, other)) }}{% endmacro %}
{# An aggregate: a JSON list of the lists of `texts`, which are SQL, of at most `number` rows that fulfil the condition,
   those that are first by `place`. #}
{% macro first_texts(texts, place, condition, number) %}
  {{ return(portmesh.engine_macro('first_texts')(texts, place, condition, number)) }}
{% endmacro %}

{# ---- Publication ---- #}
{# Switches consumers to the audited version. #}
{% macro publish_version(port, place, changes) %}
  {{ return(portmesh.engine_macro('publish_version')(port, place, changes)) }}
{% endmacro %}
{# For a run with nothing new: makes sure that consumers read the version that was just audited again, even if someone
   has changed the port since. #}
{% macro show_again(port, current) %}{{ return(portmesh.engine_macro('show_again')(port, current)) }}{% endmacro %}
{# The last step of a publication: raises unless consumers read what was audited. #}
{% macro assert_published(port, place, row_count) %}
  {{ return(portmesh.engine_macro('assert_published')(port, place, row_count)) }}
{% endmacro %}
{# Runs after the publication is recorded: tags the snapshot with the contract version, if the engine can, and drops the
   increment's candidate. #}
{% macro finish_publication(port, place) %}
  {{ return(portmesh.engine_macro('finish_publication')(port, place)) }}
{% endmacro %}
{# Creates an empty port with the contract's columns, so that partial runs of its readers work. #}
{% macro publish_shell(port) %}{{ return(portmesh.engine_macro('publish_shell')(port)) }}{% endmacro %}
{% macro can_restore(port, history) %}{{ return(portmesh.engine_macro('can_restore')(port, history)) }}{% endmacro %}
{# Switches consumers back from `current` to `previous`. #}
{% macro restore_version(port, current, previous) %}
  {{ return(portmesh.engine_macro('restore_version')(port, current, previous)) }}
{% endmacro %}

{# ---- Upkeep ---- #}
{# The names of a port's versions that are separate tables, branches or second Glue names. #}
{% macro list_versions(port) %}{{ return(portmesh.engine_macro('list_versions')(port)) }}{% endmacro %}
{# The same for many ports: {port's relation: [{name, kind, where, is_held}]}. `is_held`: something reads it. #}
{% macro open_versions(ports) %}{{ return(portmesh.engine_macro('open_versions')(ports)) }}{% endmacro %}
{# The names of the tables that have these snapshots; empty on an engine without snapshots. #}
{% macro tables_with_snapshots(port, snapshot_ids) %}
  {{ return(portmesh.engine_macro('tables_with_snapshots')(port, snapshot_ids)) }}
{% endmacro %}
{# Drops one version, unless something reads it. #}
{% macro drop_version(port, name) %}{{ return(portmesh.engine_macro('drop_version')(port, name)) }}{% endmacro %}
{# Drops what neither a kept version nor the current run needs. #}
{% macro drop_superseded_versions(port, history, place) %}
  {{ return(portmesh.engine_macro('drop_superseded_versions')(port, history, place)) }}
{% endmacro %}
{# Whether the relation of a port that no model builds any more exists and was created by Portmesh. #}
{% macro is_published_here(port) %}{{ return(portmesh.engine_macro('is_published_here')(port)) }}{% endmacro %}
{# What the engine knows to read a port or one of its versions, as texts: `the view desk.of_a_reader`. #}
{% macro readers_of(port) %}{{ return(portmesh.engine_macro('readers_of')(port)) }}{% endmacro %}
{# Drops the relation that consumers read, if it `exists`, and these versions. Nothing may read them any more. #}
{% macro drop_port(port, versions, exists) %}
  {{ return(portmesh.engine_macro('drop_port')(port, versions, exists)) }}
{% endmacro %}
{% macro replace_table(relation, sql) %}
  {{ return(portmesh.engine_macro('replace_table')(relation, sql)) }}
{% endmacro %}
{# Creates missing schemas and record tables, and adds missing columns to record tables. `tables` comes from
   record_tables. #}
{% macro make_records(schemas, tables) %}
  {{ return(portmesh.engine_macro('make_records')(schemas, tables)) }}
{% endmacro %}

{# ---- A command ---- #}
{# Whether a statement may have a block comment before it. #}
{% macro takes_comment(sql) %}{{ return(portmesh.engine_macro('takes_comment')(sql)) }}{% endmacro %}
{# A statement that fails with a message. #}
{% macro failing_statement(message) %}{{ return(portmesh.engine_macro('failing_statement')(message)) }}{% endmacro %}
{# What is wrong with the database in the profile; empty if nothing is. #}
{% macro database_problem() %}{{ return(portmesh.engine_macro('database_problem')()) }}{% endmacro %}
{# The names of domains whose copies in dbt_packages/ are outdated; empty on an engine that cannot read the files. #}
{% macro old_packages() %}{{ return(portmesh.engine_macro('old_packages')()) }}{% endmacro %}
{# What the engine's own errors mean: [{pattern, cause, remedy}]. The first entry whose pattern matches the error is
   shown. `of_sql`: matches even an error that names a line in a statement, which otherwise is a mistake in the SQL.
   `tried`: tests have shown that after this error the next run builds the port without any repair.
   `answers: false`: after this error the engine cannot say what consumers read. #}
{% macro causes_of_faults() %}{{ return(portmesh.engine_macro('causes_of_faults')()) }}{% endmacro %}
