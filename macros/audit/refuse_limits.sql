{# dbt, too, ends in an error there, and would do so after the publication. #}
{% macro refuse_limits(port, check, got) %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not published: its check ' ~ check.name ~ ' gave no whole number of failures.\n\n'
      ~ '  fail_calc       ' ~ portmesh.printable(check.fail_calc) ~ '\n'
      ~ '  warn_if         ' ~ portmesh.printable(check.warn_if) ~ '\n'
      ~ '  error_if        ' ~ portmesh.printable(check.error_if) ~ '\n'
      ~ '  got             ' ~ got ~ '\n'
      ~ '  allowed         an aggregate in fail_calc that gives a whole number, never NULL, and a condition after it in'
      ~ ' the others\n'
      ~ '  next            fix them in ' ~ port.contract_path) %}
{% endmacro %}
