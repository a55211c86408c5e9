{% macro record_table(name) %}
  {{- return(api.Relation.create(
      database=target.get('database'), schema=environment_schema('portmesh'), identifier=name, type='table')) -}}
{% endmacro %}
