{# The catalog is one for all, and neither engine sees the files of this checkout. #}
{% macro iceberg__database_problem() %}{{ return('') }}{% endmacro %}

{% macro iceberg__old_packages() %}{{ return([]) }}{% endmacro %}
