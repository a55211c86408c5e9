{# What a version's name adds to its port's: when its run began, and the first digits of the run's id. #}
{% macro version_pattern() %}{{- return('__\\d{8}_\\d{6}_[0-9a-f]{6}') -}}{% endmacro %}
