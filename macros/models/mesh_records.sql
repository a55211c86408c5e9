{# The records of all domains in this environment, `publications` or `measurements`, for the models of platform: those
   of the domains that have any when it is built. The source is platform's own, with the name of production's
   everywhere: with the environment's in it, dbt would see a change in every pull request. #}
{% macro mesh_records(table) %}
  {% set recorded = source('records', table) %}
  {# a unit test has given its rows instead #}
  {% if recorded.schema != 'portmesh' %}{{ return(recorded) }}{% endif %}
  {% if flags.INTROSPECT %}{{ return('(' ~ portmesh.all_records(table) ~ ') as recorded') }}{% endif %}
  {{ return(recorded.incorporate(path={'schema': environment_schema('portmesh')})) }}
{% endmacro %}
