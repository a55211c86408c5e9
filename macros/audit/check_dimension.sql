{# What a kind of check measures; its own config.meta.dimension goes before. #}
{% macro check_dimension(kind, meta) %}
  {%- set dimensions = {
      'not_null': 'completeness', 'not_null_share': 'completeness', 'row_count_between': 'completeness',
      'unique': 'uniqueness', 'unique_combination': 'uniqueness',
      'fresh_within': 'timeliness',
  } -%}
  {{- return((meta or {}).get('dimension') or dimensions.get(kind, 'accuracy')) -}}
{% endmacro %}
