{# The checks of a port: the data tests that dbt attached to it, its constraints and its freshness. Needs no database.
   Returns [{id, name, kind, macro, column, arguments, where, severity, warn_if, error_if, fail_calc, limit, dimension,
   reach, unit, sql_arguments, is_of_mesh, test, code, failures_relation, store_failures}]. #}
{% macro list_checks(port) %}
  {% set checks, known = [], portmesh._tests_of_mesh() %}
  {% for test in known.of_port.get(port.id, []) | sort(attribute='unique_id') %}
    {% do checks.append(portmesh._check_from_test(test, known.names[test.schema ~ '.' ~ test.alias] > 1)) %}
  {% endfor %}
  {{ return(checks + portmesh.checks_without_test(port, checks)) }}
{% endmacro %}

{# {of_port: {port's id: tests}, names: {schema.alias: number of tests with that name}}, collected once in a run. #}
{% macro _tests_of_mesh() %}
  {% set kept = graph.setdefault('portmesh_tests', {}) %}
  {% if invocation_id in kept %}{{ return(kept[invocation_id]) }}{% endif %}
  {% set of_port, names = {}, {} %}
  {% for test in graph.nodes.values() if test.resource_type == 'test' %}
    {% set name = test.schema ~ '.' ~ test.alias %}
    {% do names.update({name: names.get(name, 0) + 1}) %}
    {% do of_port.setdefault(test.attached_node, []).append(test) %}
  {% endfor %}
  {% do kept.update({invocation_id: {'of_port': of_port, 'names': names}}) %}
  {{ return(kept[invocation_id]) }}
{% endmacro %}

{% macro _check_from_test(test, has_namesakes) %}
  {% set config, macro_id, arguments = test.config, portmesh._test_macro(test), test.test_metadata.kwargs %}
  {{ return(dict(portmesh.check_traits(macro_id, config.meta),
      id=test.unique_id, name=test.alias, kind=test.test_metadata.name, macro=macro_id,
      column=arguments.get('column_name') or '', arguments=arguments, where=config.where,
      severity=config.severity | lower, warn_if=config.warn_if, error_if=config.error_if, fail_calc=config.fail_calc,
      limit=config.limit, test=test, code=test.raw_code, store_failures=config.store_failures,
      failures_relation=portmesh.failures_relation(
          test.get('database'), test.schema, test.alias, test.unique_id, has_namesakes))) }}
{% endmacro %}

{# The macro that dbt calls for a test: from the package that its YAML names, or else from the test's own package, the
   root, or dbt. #}
{% macro _test_macro(test) %}
  {% set name, namespace = 'test_' ~ test.test_metadata.name, test.test_metadata.namespace %}
  {% set packages = [namespace] if namespace else [test.package_name, project_name] %}
  {% for package in packages if name in context.get(package, {}) %}
    {{ return('macro.' ~ package ~ '.' ~ name) }}
  {% endfor %}
  {{ return('macro.dbt.' ~ name) }}
{% endmacro %}
