{#- The values that a key may have.
   Written by `python -m tools.schema` from src/portmesh/keys.py. -#}
{% macro allowed_values(of) %}
  {{- return((
      {'classification': ['public', 'internal', 'confidential', 'restricted'], 'kind': ['source-aligned',
      'aggregate', 'consumer-aligned'], 'stage': ['proposed', 'active', 'deprecated', 'retired'], 'engine': ['emr',
      'athena'], 'starts_on': ['inputs'], 'dimension': ['accuracy', 'completeness', 'timeliness', 'uniqueness'],
      'period': ['minute', 'hour', 'day'], 'exemptible rule': ['PM101', 'PM102', 'PM103', 'PM106', 'PM113', 'PM114',
      'PM121', 'PM202', 'PM205', 'PM207', 'PM210', 'PM211']}
  )[of]) -}}
{% endmacro %}
