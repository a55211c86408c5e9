{# The traits of a check, from its test macro's id and its config.meta: {dimension, reach, unit, sql_arguments,
   is_of_mesh}.
   `reach`: whether a row's result depends on that row alone, on the rows with its key, or on the whole port.
   `unit`: what each failure counts; empty if the check has one result for the whole port.
   `sql_arguments`: the arguments that are SQL on the port's own rows.
   `is_of_mesh`: the test's macro is dbt's or Portmesh's, not a domain's. #}
{% macro check_traits(macro_id, meta) %}
  {% set kind = macro_id.split('.') | last | replace('test_', '', 1) %}
  {% set known, row_wise = portmesh._known_checks().get(macro_id, {}), (meta or {}).get('row_wise') %}
  {% set may_say_so = row_wise is not none and known.get('reach', 'row') == 'row' %}
  {{ return({
      'dimension': portmesh.check_dimension(kind, meta),
      'reach': ('row' if row_wise else 'whole') if may_say_so else known.get('reach', 'whole'),
      'unit': known.get('unit', 'row'), 'sql_arguments': known.get('sql_arguments'),
      'is_of_mesh': macro_id.split('.')[1] in ['dbt', 'portmesh'],
  }) }}
{% endmacro %}

{% macro _known_checks() %}
  {% set range = ['column_name', 'min_value', 'max_value'] %}
  {{ return({
      'macro.dbt.test_not_null': {'reach': 'row', 'sql_arguments': ['column_name']},
      'macro.dbt.test_unique': {'reach': 'key', 'unit': 'key', 'sql_arguments': ['column_name']},
      'macro.dbt.test_accepted_values': {'reach': 'row', 'unit': 'value', 'sql_arguments': ['column_name']},
      'macro.dbt.test_relationships': {'reach': 'row', 'sql_arguments': ['column_name']},
      'macro.portmesh.test_accepted_range': {'reach': 'row', 'sql_arguments': range},
      'macro.portmesh.test_matches_pattern': {'reach': 'row', 'sql_arguments': ['column_name']},
      'macro.portmesh.test_expression_is_true': {'reach': 'row', 'sql_arguments': ['column_name', 'expression']},
      'macro.portmesh.test_unique_combination': {'reach': 'key', 'unit': 'key', 'sql_arguments': ['columns']},
      'macro.portmesh.test_row_count_between': {'reach': 'whole', 'unit': ''},
      'macro.portmesh.test_not_null_share': {'reach': 'whole', 'unit': ''},
      'macro.portmesh.test_fresh_within': {'reach': 'whole', 'unit': ''},
      'macro.portmesh.test_rejected_rows': {'reach': 'whole', 'unit': 'batch'},
  }) }}
{% endmacro %}
