{# Where failing rows are kept: under the test's alias, as dbt does. A name that another test has too, or that is too
   long for Glue, gets a few letters of its own. #}
{% macro failures_relation(database, schema, alias, id, has_namesakes) %}
  {% set name = alias if not has_namesakes and alias | length <= 200 else alias[:200] ~ '_' ~ local_md5(id)[:8] %}
  {{ return(api.Relation.create(
      database=database, schema=schema, identifier=portmesh.table_name(name), type='table')) }}
{% endmacro %}
