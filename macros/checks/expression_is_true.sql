{# A row where the expression is NULL passes, as for SQL's check constraint: a missing value is not_null's finding. #}
{% test expression_is_true(model, expression, column_name=none) %}
  {%- do portmesh.assert_argument('expression_is_true', 'expression', expression,
      expression is string and expression | trim,
      'SQL that is true or false for a row', 'write it like start_date <= end_date') -%}
select *
from {{ model }}
where {{ adapter.dispatch('is_false', 'portmesh')(expression) }}
{% endtest %}

{% macro default__is_false(expression) %}not ({{ expression }}){% endmacro %}

{# A file's maximum in Iceberg does not count NaN, so Spark would pass over a file whose NaN is beyond a bound: as text,
   the expression is asked of each row. https://github.com/apache/iceberg/issues/9130 #}
{% macro spark__is_false(expression) %}cast(({{ expression }}) as string) = 'false'{% endmacro %}
