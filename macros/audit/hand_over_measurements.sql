{# Stores the results of a port's checks for dbt's test nodes of the same run: {invocation id: {test id: result}}. #}
{% macro hand_over_measurements(checks) %}
  {% set measured = graph.setdefault('portmesh_measured', {}).setdefault(invocation_id, {}) %}
  {% for check in checks %}{% do measured.update({check.id: check.result}) %}{% endfor %}
{% endmacro %}

{% materialization test, default %}
  {% do portmesh.assert_may_read() %}
  {% set measured = graph.get('portmesh_measured', {}).get(invocation_id, {}).get(model.unique_id) %}
  {% if measured is none or should_store_failures() %}
    {{ return(dbt.materialization_test_default()) }}
  {% endif %}
  {% set message = 'measured when the port was published' %}
  {% do store_raw_result('main', message=message, code='REUSED', rows_affected=none, agate_table=measured) %}
  {{ return({'relations': []}) }}
{% endmaterialization %}
