{# The `publications` or `measurements` of all domains in this environment, for the models of platform. It includes the
   domains that have records when the model is built. The source of platform has production's schema name in every
   environment; otherwise `state:modified` would select its models in every pull request. #}
{% macro mesh_records(table) %}
  {% set recorded = source('records', table) %}
  {# In a unit test, its rows replace the records. #}
  {% if recorded.schema != 'portmesh' %}{{ return(recorded) }}{% endif %}
  {% if flags.INTROSPECT %}{{ return('(' ~ portmesh.all_records(table) ~ ') as recorded') }}{% endif %}
  {{ return(recorded.incorporate(path={'schema': environment_schema('portmesh')})) }}
{% endmacro %}
