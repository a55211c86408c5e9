{# Spark compares no maps. #}
{% macro spark__compared_value(value, data_type) %}
  {{- return('to_json(' ~ value ~ ')' if data_type.startswith('map<') else value) -}}
{% endmacro %}

{% macro spark__shown_value(value, data_type) %}{{- return('cast(' ~ value ~ ' as string)') -}}{% endmacro %}

{% macro spark__are_same(value, other) %}{{- return(value ~ ' <=> ' ~ other) -}}{% endmacro %}

{# Spark 3.5 has no min_by of several values, so these are the first one and the last one. #}
{% macro spark__first_texts(texts, place, condition, number) %}
  {%- set list = 'case when ' ~ condition ~ ' then array(' ~ texts | join(', ') ~ ') end' -%}
  {%- set given = '(' ~ list ~ ', ' ~ place ~ ') filter (where ' ~ condition ~ ')' -%}
  {{- return('to_json(array_distinct(array(min_by' ~ given ~ ', max_by' ~ given ~ ')))') -}}
{% endmacro %}
