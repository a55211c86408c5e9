{# What dbt-athena 1.11.1 needs for the mesh. One macro, one reason; the tests of tests/engines/test_athena_adapter.py fail
   without each of them, and say when one is no longer needed. #}

{# Iceberg holds microseconds; `timestamp` alone is milliseconds in Athena, and no Iceberg table takes it. #}
{% macro athena__type_timestamp() %}timestamp(6){% endmacro %}
