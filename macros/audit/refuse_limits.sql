{# dbt's own test node would also fail here, but only after the port is published. #}
{% macro refuse_limits(port, check, got) %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not published: its check ' ~ check.name ~ ' did not return a whole number of failures.\n\n'
      ~ '  fail_calc       ' ~ portmesh.printable(check.fail_calc) ~ '\n'
      ~ '  warn_if         ' ~ portmesh.printable(check.warn_if) ~ '\n'
      ~ '  error_if        ' ~ portmesh.printable(check.error_if) ~ '\n'
      ~ '  got             ' ~ got ~ '\n'
      ~ '  allowed         fail_calc: an aggregate that returns a whole number, never NULL\n'
      ~ '                  warn_if, error_if: a condition such as > 5\n'
      ~ '  next            fix them in ' ~ port.contract_path) %}
{% endmacro %}
