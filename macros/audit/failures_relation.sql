{# The table for failing rows, named after the test's alias, as dbt does. If another test has the same name, or it is
   too long for Glue, a few letters are added. #}
{% macro failures_relation(database, schema, alias, id, has_namesakes) %}
  {% set name = alias if not has_namesakes and alias | length <= 200 else alias[:200] ~ '_' ~ local_md5(id)[:8] %}
  {{ return(api.Relation.create(
      database=database, schema=schema, identifier=portmesh.table_name(name), type='table')) }}
{% endmacro %}
