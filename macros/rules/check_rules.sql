{% macro check_rules() %}{% endmacro %}
