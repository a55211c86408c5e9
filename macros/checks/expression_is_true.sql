{# A row where the expression is NULL passes, as for SQL's own check constraint: a missing value is not_null's finding. #}
{% test expression_is_true(model, expression, column_name=none) %}
  {%- do portmesh.assert_argument('expression_is_true', 'expression', expression, expression is string and expression | trim,
      'SQL that is true or false for a row', 'write it like start_date <= end_date') -%}
select *
from {{ model }}
where not ({{ expression }})
{% endtest %}
