{# What a check is, from its test macro's id and its config.meta: {dimension, reach, unit, sql_arguments}.
   `reach`: what a row's verdict depends on: the row alone, the rows of its key, or the whole port.
   `unit`: what a failure counts; nothing where it is a verdict on the whole.
   `sql_arguments`: the arguments that are SQL of the port's own rows. #}
{% macro check_traits(macro_id, meta) %}
  {% set kind = macro_id.split('.') | last | replace('test_', '', 1) %}
  {% set known = portmesh._known_checks().get(macro_id, {}) %}
  {% set reach = known.reach or 'whole' %}
  {% set row_wise = (meta or {}).get('row_wise') %}
  {% if row_wise is not none and not (known and reach != 'row') %}{% set reach = 'row' if row_wise else 'whole' %}{% endif %}
  {{ return({
      'dimension': portmesh.check_dimension(kind, meta), 'reach': reach,
      'unit': known.get('unit', 'row'), 'sql_arguments': known.get('sql_arguments'),
  }) }}
{% endmacro %}

{% macro _known_checks() %}
  {{ return({
      'macro.dbt.test_not_null': {'reach': 'row', 'sql_arguments': ['column_name']},
      'macro.dbt.test_unique': {'reach': 'key', 'unit': 'key', 'sql_arguments': ['column_name']},
      'macro.dbt.test_accepted_values': {'reach': 'row', 'unit': 'value', 'sql_arguments': ['column_name']},
      'macro.dbt.test_relationships': {'reach': 'row', 'sql_arguments': ['column_name']},
      'macro.portmesh.test_accepted_range': {'reach': 'row', 'sql_arguments': ['column_name', 'min_value', 'max_value']},
      'macro.portmesh.test_matches_pattern': {'reach': 'row', 'sql_arguments': ['column_name']},
      'macro.portmesh.test_expression_is_true': {'reach': 'row', 'sql_arguments': ['column_name', 'expression']},
      'macro.portmesh.test_unique_combination': {'reach': 'key', 'unit': 'key', 'sql_arguments': ['columns']},
      'macro.portmesh.test_row_count_between': {'reach': 'whole', 'unit': ''},
      'macro.portmesh.test_not_null_share': {'reach': 'whole', 'unit': ''},
      'macro.portmesh.test_fresh_within': {'reach': 'whole', 'unit': ''},
  }) }}
{% endmacro %}

{# What a kind of check measures; its own config.meta.dimension goes before. #}
{% macro check_dimension(kind, meta) %}
  {%- set dimensions = {
      'not_null': 'completeness', 'not_null_share': 'completeness', 'row_count_between': 'completeness',
      'unique': 'uniqueness', 'unique_combination': 'uniqueness',
      'fresh_within': 'timeliness',
  } -%}
  {{- return((meta or {}).get('dimension') or dimensions.get(kind, 'accuracy')) -}}
{% endmacro %}
