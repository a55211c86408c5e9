{# A relation filtered by a check's `where`, as dbt writes it in the check's SQL. #}
{% macro filtered(relation, where) %}
  {{- return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery' if where else relation) -}}
{% endmacro %}
