{# PM106 #}
{% macro port_is_checked(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() if not portmesh.is_stub(port) %}
    {% set checked = portmesh._checked_dimensions(port, mesh.tests_of.get(port.unique_id, [])) %}
    {% set missing = ['completeness', 'uniqueness', 'timeliness', 'accuracy'] | reject('in', checked) | list %}
    {% if missing %}
      {% do findings.append(portmesh.finding('PM106', port,
          portmesh.label_of(port) ~ ' has no check for ' ~ missing | join(', ') ~ '.',
          'Add ' ~ portmesh._checks_to_add(missing) | join('; '))) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _checked_dimensions(port, tests) %}
  {% set checked = [] %}
  {% for test in tests if test.test_metadata %}
    {% do checked.append(portmesh.check_dimension(test.test_metadata.name, test.config.meta)) %}
  {% endfor %}
  {% set of_columns = port.columns.values() | map(attribute='constraints') | select | sum(start=[]) %}
  {% for constraint in (port.constraints or []) + of_columns %}
    {% set kinds = ['not_null', 'unique'] if constraint.type == 'primary_key' else [constraint.type] %}
    {% for kind in kinds if kind in ['not_null', 'unique', 'check'] %}
      {% do checked.append(portmesh.check_dimension(kind, {})) %}
    {% endfor %}
  {% endfor %}
  {% set freshness = portmesh.meta_of(port).freshness %}
  {% if freshness is mapping and freshness.column and (freshness.warn_after or freshness.error_after) %}
    {% do checked.append('timeliness') %}
  {% endif %}
  {{ return(checked) }}
{% endmacro %}

{% macro _checks_to_add(missing) %}
  {% set checks = {
      'completeness': 'not_null or row_count_between', 'uniqueness': 'unique or unique_combination',
      'timeliness': 'fresh_within or config.meta.freshness',
      'accuracy': 'accepted_range, accepted_values or expression_is_true',
  } %}
  {% set found = [] %}
  {% for dimension in missing %}{% do found.append(checks[dimension]) %}{% endfor %}
  {{ return(found) }}
{% endmacro %}
