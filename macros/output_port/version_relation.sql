{% macro version_relation(port, identifier, type='table') %}
  {{- return(api.Relation.create(
      database=port.relation.database, schema=port.internal_schema, identifier=identifier, type=type)) -}}
{% endmacro %}
