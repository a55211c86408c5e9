{# The keys below config.meta. #}
{% macro meta_of(node) %}{{ return(node.config.meta or {}) }}{% endmacro %}
