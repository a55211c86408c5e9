{# A table of the mesh's records in this environment, `publications` or `measurements`, for the models of platform.
   The source has
   the name of production's everywhere: with the environment's in it, dbt would see a change in every pull request. #}
{% macro mesh_records(table) %}
  {% set recorded = source('records', table) %}
  {# a unit test has given its rows instead #}
  {% if recorded.schema != 'portmesh' %}{{ return(recorded) }}{% endif %}
  {{ return(recorded.incorporate(path={'schema': environment_schema('portmesh')})) }}
{% endmacro %}
