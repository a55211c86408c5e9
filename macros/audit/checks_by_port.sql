{# What the gate measures of each port, as plain values for a page: {port's id: [{kind, column, arguments, dimension, unit,
   where, severity, warn_if, error_if}]}. Needs no database. #}
{% macro checks_by_port() %}
  {% set found = {} %}
  {% for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'output_port' %}
    {% do found.update({node.unique_id: []}) %}
    {% for check in portmesh.list_checks(portmesh.describe_port(node)) %}
      {% do found[node.unique_id].append({
          'kind': check.kind, 'column': check.column, 'arguments': portmesh._stated_arguments(check), 'dimension': check.dimension,
          'unit': check.unit, 'where': check.where or '', 'severity': check.severity, 'warn_if': check.warn_if, 'error_if': check.error_if,
      }) %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# What its YAML says beside the column that it stands at. #}
{% macro _stated_arguments(check) %}
  {% set stated = {} %}
  {% for name, value in check.arguments.items() if name not in ['model', 'column_name'] and value is not none %}
    {% do stated.update({name: value}) %}
  {% endfor %}
  {{ return(stated) }}
{% endmacro %}
