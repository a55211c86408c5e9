{# A column may have a collation in which "a" equals "A". #}
{% macro duckdb__compared_value(value, data_type) %}
  {{- return('encode(' ~ value ~ ')' if data_type == 'string' else value) -}}
{% endmacro %}

{% macro duckdb__shown_value(value, data_type) %}{{- return('cast(' ~ value ~ ' as varchar)') -}}{% endmacro %}

{% macro duckdb__are_same(value, other) %}{{- return(value ~ ' is not distinct from ' ~ other) -}}{% endmacro %}

{% macro duckdb__first_texts(texts, place, condition, number) %}
  {%- set list = 'case when ' ~ condition ~ ' then [' ~ texts | join(', ') ~ '] end' -%}
  {{- return('cast(to_json(arg_min(' ~ list ~ ', ' ~ place ~ ', ' ~ number ~ ') filter (where ' ~ condition
      ~ ')) as varchar)') -}}
{% endmacro %}
