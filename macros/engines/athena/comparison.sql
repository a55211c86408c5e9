{% macro athena__compared_value(value, data_type) %}{{- return(value) -}}{% endmacro %}

{% macro athena__shown_value(value, data_type) %}
  {%- set is_nested = data_type.startswith(('row(', 'array(', 'map(')) -%}
  {{- return('json_format(cast(' ~ value ~ ' as json))' if is_nested else 'cast(' ~ value ~ ' as varchar)') -}}
{% endmacro %}

{# Trino's full outer join takes equalities only. Texts have no null, and NaN equals NaN. #}
{% macro athena__are_same(value, other) %}
  {{- return("coalesce(cast(" ~ value ~ " as varchar), '') = coalesce(cast(" ~ other ~ " as varchar), '') and ("
      ~ value ~ ' is null) = (' ~ other ~ ' is null)') -}}
{% endmacro %}

{% macro athena__first_texts(texts, place, condition, number) %}
  {%- set list = 'case when ' ~ condition ~ ' then array[' ~ texts | join(', ') ~ '] end' -%}
  {{- return('json_format(cast(min_by(' ~ list ~ ', ' ~ place ~ ', ' ~ number ~ ') filter (where ' ~ condition
      ~ ') as json))') -}}
{% endmacro %}
