{# `dbt show` runs no hooks but calls this macro, which replaces dbt's own: it first creates what a hook would have
   created, and checks that the tables to read exist. #}
{% macro get_show_sql(compiled_code, sql_header, limit) %}
  {% set what = 'The query' if model.name == 'inline_query' else portmesh.label_of(model) %}
  {% do portmesh.assert_can_be_read(model, compiled_code, what ~ ' cannot be shown') %}
  {{ return(dbt.get_show_sql(compiled_code, sql_header, limit)) }}
{% endmacro %}
