{# The suffix that a version's name adds to its port's name: the time when its run began and the run's id, cut short. #}
{% macro version_pattern() %}{{- return('__\\d{8}_\\d{6}_[0-9a-f]{6}') -}}{% endmacro %}
