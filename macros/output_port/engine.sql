{# What an engine adds: the SQL of these steps, and nothing else. #}

{% macro execute_sql(sql) %}
  {% call statement('execute_sql', auto_begin=True) %}{{ sql }}{% endcall %}
{% endmacro %}

{% macro count_rows(relation) %}
  {{- return(run_query('select count(*) from ' ~ relation).rows[0][0] | int) -}}
{% endmacro %}

{% macro describe_query(sql) %}{{ return(adapter.dispatch('describe_query', 'portmesh')(sql)) }}{% endmacro %}

{% macro write_candidate(port, sql) %}{{ return(adapter.dispatch('write_candidate', 'portmesh')(port, sql)) }}{% endmacro %}

{% macro apply_increment(port, current) %}{{ return(adapter.dispatch('apply_increment', 'portmesh')(port, current)) }}{% endmacro %}

{% macro withdraw_increment(attempt) %}{{ return(adapter.dispatch('withdraw_increment', 'portmesh')(attempt)) }}{% endmacro %}

{% macro undo_increment(port, version) %}{{ return(adapter.dispatch('undo_increment', 'portmesh')(port, version)) }}{% endmacro %}

{% macro refused_relation(attempt) %}{{ return(adapter.dispatch('refused_relation', 'portmesh')(attempt)) }}{% endmacro %}

{% macro rows_sharing_keys(port, relation, columns) %}{{ return(adapter.dispatch('rows_sharing_keys', 'portmesh')(port, relation, columns)) }}{% endmacro %}

{# Rows among which all duplicates of a key are: dbt's unique gives the same on them as on the whole. #}
{% macro narrow_to_duplicates(relation, check) %}{{ return(adapter.dispatch('narrow_to_duplicates', 'portmesh')(relation, check)) }}{% endmacro %}

{% macro publish_version(port, base) %}{{ return(adapter.dispatch('publish_version', 'portmesh')(port, base)) }}{% endmacro %}

{% macro publish_shell(port) %}{{ return(adapter.dispatch('publish_shell', 'portmesh')(port)) }}{% endmacro %}

{% macro list_versions(port) %}{{ return(adapter.dispatch('list_versions', 'portmesh')(port)) }}{% endmacro %}

{% macro drop_version(port, name) %}{{ return(adapter.dispatch('drop_version', 'portmesh')(port, name)) }}{% endmacro %}

{% macro replace_table(relation, sql) %}{{ return(adapter.dispatch('replace_table', 'portmesh')(relation, sql)) }}{% endmacro %}
