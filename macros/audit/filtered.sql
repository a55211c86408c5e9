{# Rows of a relation as a check's SQL reads them. #}
{% macro filtered(relation, where) %}
  {{- return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery' if where else relation) -}}
{% endmacro %}
