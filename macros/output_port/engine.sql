{# What an engine adds: the SQL of these steps, and nothing else. DuckDB has its own; `default` is Iceberg on Glue, for
   Spark and Athena, which add what differs between the two. #}

{% macro execute_sql(sql) %}
  {% call statement('execute_sql', auto_begin=True) %}{{ portmesh.step_comment() }}{{ sql }}{% endcall %}
  {% do portmesh.account_for(sql, load_result('execute_sql').response) %}
{% endmacro %}

{% macro query(sql) %}
  {% call statement('query', fetch_result=True) %}{{ portmesh.step_comment() }}{{ sql }}{% endcall %}
  {% set result = load_result('query') %}
  {% do portmesh.account_for(sql, result.response) %}
  {{ return(result.table) }}
{% endmacro %}

{% macro count_rows(relation) %}
  {{- return(portmesh.query('select count(*) from ' ~ relation).rows[0][0] | int) -}}
{% endmacro %}

{# The engine's type for a type of the contract, in a cast. #}
{% macro engine_type(data_type) %}{{ return(adapter.dispatch('engine_type', 'portmesh')(data_type)) }}{% endmacro %}

{# The same, as describe_query names it. #}
{% macro described_type(data_type) %}{{ return(adapter.dispatch('described_type', 'portmesh')(data_type)) }}{% endmacro %}

{# Whether a column of one type holds what the contract's type says. #}
{% macro is_of_type(type, wanted) %}{{ return(adapter.dispatch('is_of_type', 'portmesh')(type, wanted)) }}{% endmacro %}

{# A name as the engine's catalog takes it. #}
{% macro table_name(name) %}{{ return(adapter.dispatch('table_name', 'portmesh')(name)) }}{% endmacro %}

{# [{name, type}] of a query's columns; nothing is read. #}
{% macro describe_query(sql) %}{{ return(adapter.dispatch('describe_query', 'portmesh')(sql)) }}{% endmacro %}

{# The same of a table; nobody bills it. #}
{% macro table_columns(relation) %}{{ return(adapter.dispatch('table_columns', 'portmesh')(relation)) }}{% endmacro %}

{# Sets where the run writes: port.candidate (the model's rows), port.whole (the version that they make), port.base. #}
{% macro place_candidate(port, current, increment) %}{{ return(adapter.dispatch('place_candidate', 'portmesh')(port, current, increment)) }}{% endmacro %}

{% macro write_candidate(port, sql) %}{{ return(adapter.dispatch('write_candidate', 'portmesh')(port, sql)) }}{% endmacro %}

{% macro apply_increment(port) %}{{ return(adapter.dispatch('apply_increment', 'portmesh')(port)) }}{% endmacro %}

{% macro withdraw_increment(attempt) %}{{ return(adapter.dispatch('withdraw_increment', 'portmesh')(attempt)) }}{% endmacro %}

{% macro refused_relation(attempt) %}{{ return(adapter.dispatch('refused_relation', 'portmesh')(attempt)) }}{% endmacro %}

{# The rows that consumers read now; with a version, those of an earlier one. #}
{% macro published_rows(port, version) %}{{ return(adapter.dispatch('published_rows', 'portmesh')(port, version)) }}{% endmacro %}

{% macro kept_rows(port, version) %}{{ return(adapter.dispatch('kept_rows', 'portmesh')(port, version)) }}{% endmacro %}

{# Whether the rows that consumers read are those that the newest record tells of. #}
{% macro reads_as_recorded(port, current) %}{{ return(adapter.dispatch('reads_as_recorded', 'portmesh')(port, current)) }}{% endmacro %}

{# Runs the checks and adds `result` (failures, should_warn, should_error) and `seconds` to each; how many rows `audited` has. #}
{% macro run_checks(port, checks, audited) %}{{ return(adapter.dispatch('run_checks', 'portmesh')(port, checks, audited)) }}{% endmacro %}

{# A relation with all rows that share their key, and as few others as is worth it: dbt's unique gives the same on it. #}
{% macro narrowed(relation, check) %}{{ return(adapter.dispatch('narrowed', 'portmesh')(relation, check)) }}{% endmacro %}

{% macro publish_version(port) %}{{ return(adapter.dispatch('publish_version', 'portmesh')(port)) }}{% endmacro %}

{# Once it is recorded: the contract version as a tag of its rows, where the engine can write one; the rows of an increment go. #}
{% macro finish_publication(port) %}{{ return(adapter.dispatch('finish_publication', 'portmesh')(port)) }}{% endmacro %}

{% macro publish_shell(port) %}{{ return(adapter.dispatch('publish_shell', 'portmesh')(port)) }}{% endmacro %}

{# The Iceberg snapshot that consumers read; none where a version is no snapshot. #}
{% macro current_snapshot(port) %}{{ return(adapter.dispatch('current_snapshot', 'portmesh')(port)) }}{% endmacro %}

{% macro can_restore(port, current, previous) %}{{ return(adapter.dispatch('can_restore', 'portmesh')(port, current, previous)) }}{% endmacro %}

{% macro restore_version(port, current, previous) %}{{ return(adapter.dispatch('restore_version', 'portmesh')(port, current, previous)) }}{% endmacro %}

{# Names of the versions that are tables, branches or second names of their own. #}
{% macro list_versions(port) %}{{ return(adapter.dispatch('list_versions', 'portmesh')(port)) }}{% endmacro %}

{% macro drop_version(port, name) %}{{ return(adapter.dispatch('drop_version', 'portmesh')(port, name)) }}{% endmacro %}

{% macro drop_candidate(port) %}{{ return(adapter.dispatch('drop_candidate', 'portmesh')(port)) }}{% endmacro %}

{% macro drop_superseded_versions(port) %}{{ return(adapter.dispatch('drop_superseded_versions', 'portmesh')(port)) }}{% endmacro %}

{% macro replace_table(relation, sql) %}{{ return(adapter.dispatch('replace_table', 'portmesh')(relation, sql)) }}{% endmacro %}

{# The engine's type for a type of the contract, where a table is created. #}
{% macro stored_type(data_type) %}{{ return(adapter.dispatch('stored_type', 'portmesh')(data_type)) }}{% endmacro %}
