{# A row where the expression is NULL passes, as with SQL's check constraint: not_null is the check for missing values.
   #}
{% test expression_is_true(model, expression, column_name=none) %}
  {%- do portmesh.assert_argument('expression_is_true', 'expression', expression,
      expression is string and expression | trim,
      'SQL that is true or false for each row', 'write it like start_date <= end_date') -%}
select *
from {{ model }}
where {{ adapter.dispatch('is_false', 'portmesh')(expression) }}
{% endtest %}

{% macro default__is_false(expression) %}not ({{ expression }}){% endmacro %}

{# Iceberg's maximum of a file ignores NaN, so Spark could skip a file with a NaN beyond a bound. Compared as text, the
   expression is evaluated for every row (https://github.com/apache/iceberg/issues/9130). With `and true`, Spark refuses
   what is no condition. #}
{% macro spark__is_false(expression) %}cast(({{ expression }}) and true as string) = 'false'{% endmacro %}
