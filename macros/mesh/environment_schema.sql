{% macro environment_schema(schema) %}
  {{- return(schema if target.schema == 'prod' else target.schema ~ '__' ~ schema) -}}
{% endmacro %}
