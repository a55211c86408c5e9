{# The dimension of a kind of check, unless the check's own config.meta.dimension sets another. #}
{% macro check_dimension(kind, meta) %}
  {%- set dimensions = {
      'not_null': 'completeness', 'not_null_share': 'completeness', 'row_count_between': 'completeness',
      'rejected_rows': 'completeness',
      'unique': 'uniqueness', 'unique_combination': 'uniqueness',
      'fresh_within': 'timeliness',
  } -%}
  {{- return((meta or {}).get('dimension') or dimensions.get(kind, 'accuracy')) -}}
{% endmacro %}
