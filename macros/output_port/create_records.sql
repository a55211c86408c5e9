{% macro create_records() %}{% endmacro %}
