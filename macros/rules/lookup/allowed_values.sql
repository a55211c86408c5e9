{#- The values that a key may have.
   Written by `python -m tools.schema` from src/portmesh/keys.py. -#}
{% macro allowed_values(of) %}
  {{- return((
      {'classification': ['public', 'internal', 'confidential', 'restricted'], 'kind': ['source-aligned',
      'aggregate', 'consumer-aligned'], 'stage': ['proposed', 'active', 'deprecated', 'retired'], 'engine': ['emr',
      'athena'], 'dimension': ['accuracy', 'completeness', 'timeliness', 'uniqueness'], 'period': ['minute', 'hour',
      'day']}
  )[of]) -}}
{% endmacro %}
