{# Every statement of a port goes through these, so that its cost is counted. #}
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
