{# The checks of each port, as plain values for the catalog: {port's id: [{kind, column, arguments, dimension, unit,
   where, severity, warn_if, error_if, allows_no_failure}]}. Needs no database. #}
{% macro checks_by_port() %}
  {% set found = {} %}
  {% for port in portmesh.all_ports() if port.node.resource_type == 'model' %}
    {% set checks = found.setdefault(port.id, []) %}
    {% for check in portmesh.list_checks(port) %}
      {% do checks.append({
          'kind': check.kind, 'column': check.column, 'arguments': portmesh.stated_arguments(check),
          'dimension': check.dimension, 'unit': check.unit, 'where': check.where or '', 'severity': check.severity,
          'warn_if': check.warn_if, 'error_if': check.error_if,
          'allows_no_failure': portmesh.allows_no_failure(check),
      }) %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
