{# What an engine gives: a door for each of its macros, which takes what the engine's own takes (engine_macro.sql
   finds that one, in the engine's folder or in iceberg/, which Spark and Athena share). An engine executes what it
   is given; it calls nothing of the audit. `port` is what describe_port gives, `place` what place_candidate gives,
   `version` a publication of read_history. #}

{# ---- Types, names, values ---- #}
{# The engine's type for a type of the contract, in a cast. #}
{% macro engine_type(data_type) %}{{ return(portmesh.engine_macro('engine_type')(data_type)) }}{% endmacro %}
{# The same, as describe_query names it. #}
{% macro described_type(data_type) %}{{ return(portmesh.engine_macro('described_type')(data_type)) }}{% endmacro %}
{# The same, where a table is created. #}
{% macro stored_type(data_type) %}{{ return(portmesh.engine_macro('stored_type')(data_type)) }}{% endmacro %}
{# The contract's type for one that describe_query or table_columns names. #}
{% macro portable_type(type) %}{{ return(portmesh.engine_macro('portable_type')(type)) }}{% endmacro %}
{# Whether a column of one type holds what the contract's type says. #}
{% macro is_of_type(type, wanted) %}{{ return(portmesh.engine_macro('is_of_type')(type, wanted)) }}{% endmacro %}
{# A text as a literal. #}
{% macro text_literal(value) %}{{ return(portmesh.engine_macro('text_literal')(value)) }}{% endmacro %}
{# A name as the engine's catalog takes it. #}
{% macro table_name(name) %}{{ return(portmesh.engine_macro('table_name')(name)) }}{% endmacro %}

{# ---- What is there ---- #}
{# [{name, type}] of a query's columns; nothing is read. #}
{% macro describe_query(sql) %}{{ return(portmesh.engine_macro('describe_query')(sql)) }}{% endmacro %}
{# The same of a table; nobody bills it. #}
{% macro table_columns(relation) %}{{ return(portmesh.engine_macro('table_columns')(relation)) }}{% endmacro %}
{# Fails where the engine cannot resolve a query; nothing is read. #}
{% macro analyse_query(sql) %}{{ return(portmesh.engine_macro('analyse_query')(sql)) }}{% endmacro %}
{# A pre-hook of each model, and before an audit, which may be that of an operation: where views are stored, those that
   the node reads and the run does not build are stored anew. #}
{% macro refresh_views(node) %}{{ return(portmesh.engine_macro('refresh_views')(node)) }}{% endmacro %}
{# Names of the tables in a schema that exists. #}
{% macro tables_in(schema) %}{{ return(portmesh.engine_macro('tables_in')(schema)) }}{% endmacro %}
{% macro existing_schemas() %}{{ return(portmesh.engine_macro('existing_schemas')()) }}{% endmacro %}
{# Bytes that this connection has read so far; none where the engine does not tell. #}
{% macro bytes_read_so_far() %}{{ return(portmesh.engine_macro('bytes_read_so_far')()) }}{% endmacro %}

{# ---- A candidate ---- #}
{# Where the run writes: {version, base, candidate, result, exists, is_beside, pointer}. `candidate` takes the
   model's rows, `result` is the port as it will be; the same but for an increment. `changes` is what
   compare_contracts gives. #}
{% macro place_candidate(port, current, increment, changes) %}
  {{ return(portmesh.engine_macro('place_candidate')(port, current, increment, changes)) }}
{% endmacro %}
{% macro write_candidate(port, place, sql, changes) %}
  {{ return(portmesh.engine_macro('write_candidate')(port, place, sql, changes)) }}
{% endmacro %}
{# Makes `place.result` of an increment: the published rows, those of a key that came again replaced, where nobody
   reads it. #}
{% macro compose_result(port, place, changes) %}
  {{ return(portmesh.engine_macro('compose_result')(port, place, changes)) }}
{% endmacro %}
{% macro drop_candidate(place) %}{{ return(portmesh.engine_macro('drop_candidate')(place)) }}{% endmacro %}

{# ---- What consumers read ---- #}
{# The rows that consumers read now. #}
{% macro published_rows(port, version) %}
  {{ return(portmesh.engine_macro('published_rows')(port, version)) }}
{% endmacro %}
{# The rows of the version before `current`, as SQL to select from. #}
{% macro kept_rows(port, current, previous) %}
  {{ return(portmesh.engine_macro('kept_rows')(port, current, previous)) }}
{% endmacro %}
{# Whether the rows that consumers read are those that the newest record tells of. #}
{% macro reads_as_recorded(port, current) %}
  {{ return(portmesh.engine_macro('reads_as_recorded')(port, current)) }}
{% endmacro %}
{# The Iceberg snapshot that consumers read; none where a version is no snapshot. #}
{% macro current_snapshot(port) %}{{ return(portmesh.engine_macro('current_snapshot')(port)) }}{% endmacro %}

{# ---- The audit's statements ---- #}
{# How many checks go into one statement. #}
{% macro checks_at_once(is_increment) %}
  {{ return(portmesh.engine_macro('checks_at_once')(is_increment)) }}
{% endmacro %}
{# {key, holds_duplicates, keys_in_a_row} of buckets for the keys of a column, such that a bucket without duplicates
   holds no key twice; none where the engine has none for the type. `rows` is what the check reads. #}
{% macro key_buckets(column, data_type, rows) %}
  {{ return(portmesh.engine_macro('key_buckets')(column, data_type, rows)) }}
{% endmacro %}
{# An aggregate: the texts of an expression, with blanks between. #}
{% macro joined_texts(expression) %}{{ return(portmesh.engine_macro('joined_texts')(expression)) }}{% endmacro %}

{# ---- Publication ---- #}
{# The switch: what is audited becomes what consumers read. #}
{% macro publish_version(port, place, changes) %}
  {{ return(portmesh.engine_macro('publish_version')(port, place, changes)) }}
{% endmacro %}
{# Nothing is new: what has just been audited again is what consumers read, whatever somebody did to the port
   meanwhile. #}
{% macro show_again(port, current) %}{{ return(portmesh.engine_macro('show_again')(port, current)) }}{% endmacro %}
{# Raises unless consumers read what was audited: the last thing of a publication. #}
{% macro assert_published(port, place, row_count) %}
  {{ return(portmesh.engine_macro('assert_published')(port, place, row_count)) }}
{% endmacro %}
{# Once it is recorded: the contract version as a tag of its rows, where the engine can write one; the rows of an
   increment go. #}
{% macro finish_publication(port, place) %}
  {{ return(portmesh.engine_macro('finish_publication')(port, place)) }}
{% endmacro %}
{# An empty port with the contract's columns, for partial runs of what reads it. #}
{% macro publish_shell(port) %}{{ return(portmesh.engine_macro('publish_shell')(port)) }}{% endmacro %}
{% macro can_restore(port, history) %}{{ return(portmesh.engine_macro('can_restore')(port, history)) }}{% endmacro %}
{# The switch back from `current` to `previous`. #}
{% macro restore_version(port, current, previous) %}
  {{ return(portmesh.engine_macro('restore_version')(port, current, previous)) }}
{% endmacro %}

{# ---- Upkeep ---- #}
{# Names of the versions of a port that are tables, branches or second names of their own. #}
{% macro list_versions(port) %}{{ return(portmesh.engine_macro('list_versions')(port)) }}{% endmacro %}
{# {port's relation: [{name, kind, where, is_held}]} of those of many ports. `is_held`: something reads it. #}
{% macro open_versions(ports) %}{{ return(portmesh.engine_macro('open_versions')(ports)) }}{% endmacro %}
{# Names of the tables that hold the rows of these snapshots; none where a version is no snapshot. #}
{% macro tables_with_snapshots(port, snapshot_ids) %}
  {{ return(portmesh.engine_macro('tables_with_snapshots')(port, snapshot_ids)) }}
{% endmacro %}
{# Drops one of them, unless something reads it. #}
{% macro drop_version(port, name) %}{{ return(portmesh.engine_macro('drop_version')(port, name)) }}{% endmacro %}
{# Drops what neither a kept version nor the run at hand needs. #}
{% macro drop_superseded_versions(port, history, place) %}
  {{ return(portmesh.engine_macro('drop_superseded_versions')(port, history, place)) }}
{% endmacro %}
{# Whether what consumers read of a port that no model makes any more is there, and was made by Portmesh. #}
{% macro is_published_here(port) %}{{ return(portmesh.engine_macro('is_published_here')(port)) }}{% endmacro %}
{# Texts that name what the engine knows to stand on a port or on a version of it: `the view desk.of_a_reader`. #}
{% macro readers_of(port) %}{{ return(portmesh.engine_macro('readers_of')(port)) }}{% endmacro %}
{# Drops what consumers read (where it `exists`) and these versions, once nothing stands on them. #}
{% macro drop_port(port, versions, exists) %}
  {{ return(portmesh.engine_macro('drop_port')(port, versions, exists)) }}
{% endmacro %}
{% macro replace_table(relation, sql) %}
  {{ return(portmesh.engine_macro('replace_table')(relation, sql)) }}
{% endmacro %}
{# Makes schemas and record tables that are missing, and adds the columns that a record table lacks. `tables` are what
   record_tables gives. #}
{% macro make_records(schemas, tables) %}
  {{ return(portmesh.engine_macro('make_records')(schemas, tables)) }}
{% endmacro %}

{# ---- A command ---- #}
{# Whether a statement may have a block comment before it. #}
{% macro takes_comment(sql) %}{{ return(portmesh.engine_macro('takes_comment')(sql)) }}{% endmacro %}
{# A statement that fails with a message. #}
{% macro failing_statement(message) %}{{ return(portmesh.engine_macro('failing_statement')(message)) }}{% endmacro %}
{# What is wrong with the database that the profile names, or nothing. #}
{% macro database_problem() %}{{ return(portmesh.engine_macro('database_problem')()) }}{% endmacro %}
{# Names of domains whose copies in dbt_packages/ are old; an engine that cannot read the files gives none. #}
{% macro old_packages() %}{{ return(portmesh.engine_macro('old_packages')()) }}{% endmacro %}
{# What the engine's own errors mean: [{pattern: what the error contains, cause, remedy}]; the first that fits is told.
   `of_sql`: also of an error that names a place in the statement, which is else the statement's own.
   `tried`: the tests break a run so, and the next one builds the port as if nothing had been.
   `answers: false`: the engine cannot be asked then what consumers read. #}
{% macro causes_of_faults() %}{{ return(portmesh.engine_macro('causes_of_faults')()) }}{% endmacro %}
