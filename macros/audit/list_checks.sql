{# The checks of a port: the data tests that dbt attached to it, its constraints, its freshness. Needs no database:
   [{id, name, kind, macro, column, arguments, where, severity, warn_if, error_if, fail_calc, limit, dimension, reach, unit,
   sql_arguments, test, code, failures_relation, store_failures}]. #}
{% macro list_checks(port) %}
  {% set checks, tests, names = [], [], {} %}
  {% for test in graph.nodes.values() if test.resource_type == 'test' %}
    {% do names.update({test.schema ~ '.' ~ test.alias: names.get(test.schema ~ '.' ~ test.alias, 0) + 1}) %}
    {% if test.attached_node == port.id %}{% do tests.append(test) %}{% endif %}
  {% endfor %}
  {% for test in tests | sort(attribute='unique_id') %}{% do checks.append(portmesh._check_from_test(test, names[test.schema ~ '.' ~ test.alias] > 1)) %}{% endfor %}
  {% do checks.extend(portmesh._checks_from_constraints(port, checks)) %}
  {% do checks.extend(portmesh._checks_from_freshness(port)) %}
  {{ return(checks) }}
{% endmacro %}

{% macro _check_from_test(test, has_namesakes) %}
  {% set config, macro_id = test.config, portmesh._test_macro(test) %}
  {{ return(dict(portmesh.check_traits(macro_id, config.meta),
      id=test.unique_id, name=test.alias, kind=test.test_metadata.name, macro=macro_id,
      column=test.test_metadata.kwargs.get('column_name') or '', arguments=test.test_metadata.kwargs,
      where=config.where, severity=config.severity | lower, warn_if=config.warn_if, error_if=config.error_if,
      fail_calc=config.fail_calc, limit=config.limit, test=test, code=test.raw_code,
      failures_relation=portmesh._failures_relation(test.get('database'), test.schema, test.alias, test.unique_id, has_namesakes),
      store_failures=config.store_failures)) }}
{% endmacro %}

{# The macro that dbt calls for a test: of the package that its YAML names; else of the test's own, the root, or dbt. #}
{% macro _test_macro(test) %}
  {% set name, namespace = 'test_' ~ test.test_metadata.name, test.test_metadata.namespace %}
  {% for package in ([namespace] if namespace else [test.package_name, project_name]) if name in context.get(package, {}) %}
    {{ return('macro.' ~ package ~ '.' ~ name) }}
  {% endfor %}
  {{ return('macro.dbt.' ~ name) }}
{% endmacro %}

{# A check that dbt has no node for is rendered like one that the port's YAML had. #}
{% macro _own_check(port, kind, column, arguments, origin, severity) %}
  {% set name = origin ~ '_' ~ kind ~ '_' ~ port.alias ~ ('_' ~ portmesh._as_part_of_a_name(column) if column else '') %}
  {% set macro_id = 'macro.' ~ ('dbt' if kind in ['not_null', 'unique'] else 'portmesh') ~ '.test_' ~ kind %}
  {% set id, schema = port.id ~ ':' ~ name, port.internal_schema %}
  {{ return(dict(portmesh.check_traits(macro_id, {}),
      id=id, name=name, kind=kind, macro=macro_id, column=column, arguments=dict(arguments, model='{{ get_where_subquery(portmesh_audited.relation) }}'),
      where=none, severity=severity, warn_if='!= 0', error_if='!= 0', fail_calc='count(*)', limit=none,
      test={'unique_id': id, 'name': name, 'alias': name, 'database': port.relation.database, 'schema': schema, 'config': {}},
      code='{{ ' ~ macro_id.split('.', 1)[1] ~ '(**_dbt_generic_test_kwargs) }}',
      failures_relation=portmesh._failures_relation(port.relation.database, schema, name, id, false), store_failures=none)) }}
{% endmacro %}

{# What a name cannot hold, as a blank, is left out; then a few letters tell the column from another. #}
{% macro _as_part_of_a_name(column) %}
  {% set bare = column.strip('"`') %}
  {% set part = modules.re.sub('\\W', '', bare) %}
  {{ return(part if part == bare else part ~ '_' ~ local_md5(bare)[:6]) }}
{% endmacro %}

{# Where failing rows are kept: under the test's alias, as dbt does. A name that another test has too, or that is too long for
   Glue, gets a few letters of its own. #}
{% macro _failures_relation(database, schema, alias, id, has_namesakes) %}
  {% set name = alias if not has_namesakes and alias | length <= 200 else alias[:200] ~ '_' ~ local_md5(id)[:8] %}
  {{ return(api.Relation.create(database=database, schema=schema, identifier=portmesh.table_name(name), type='table')) }}
{% endmacro %}

{# A constraint that the engine would enforce bare is measured like any other check, so that it explains itself. #}
{% macro _checks_from_constraints(port, tests) %}
  {% set present = [] %}
  {% for test in tests if portmesh._allows_no_failure(test) %}{% do present.append(test.kind ~ ':' ~ test.column) %}{% endfor %}
  {% set checks = [] %}
  {% for kind, columns, expression in portmesh._constraints(port) %}
    {% set single = columns | length == 1 %}
    {% set name = kind if single or kind in ['expression_is_true'] else 'unique_combination' %}
    {% set column = columns[0] if single and name != 'expression_is_true' else '' %}
    {% if name ~ ':' ~ column not in present or name in ['expression_is_true', 'unique_combination'] %}
      {% set arguments = {'column_name': column} if column else ({'expression': expression} if expression else {'columns': columns}) %}
      {% set origin = 'constraint' if column else 'constraint_' ~ loop.index %}
      {% do checks.append(portmesh._own_check(port, name, column, arguments, origin, 'error')) %}
      {% do present.append(name ~ ':' ~ column) %}
    {% endif %}
  {% endfor %}
  {{ return(checks) }}
{% endmacro %}

{# A check that warns, or looks at some of the rows, does not stand for a constraint. #}
{% macro _allows_no_failure(check) %}
  {{ return(check.severity == 'error' and not check.where and check.error_if == '!= 0' and check.fail_calc == 'count(*)'
      and check.limit is none and check.macro.split('.')[1] in ['dbt', 'portmesh']) }}
{% endmacro %}

{# [kind, columns, expression] of each constraint, of the columns and of the model. A row whose unique_key is null could
   neither be replaced nor taken back, so an incremental port's key is not null. #}
{% macro _constraints(port) %}
  {% set found = [] %}
  {% for type, names, expression in portmesh._declared_constraints(port) %}
    {% set columns = portmesh.columns_in_sql(port, names) %}
    {% if type in ['not_null', 'primary_key'] %}
      {% for name in columns %}{% do found.append(['not_null', [name], none]) %}{% endfor %}
    {% endif %}
    {% if type in ['unique', 'primary_key'] %}{% do found.append(['unique', columns, none]) %}{% endif %}
    {% if type == 'check' %}{% do found.append(['expression_is_true', columns, expression]) %}{% endif %}
    {% if type not in ['not_null', 'primary_key', 'unique', 'check'] %}
      {% do exceptions.raise_dependency_error(
          'The constraint ' ~ type ~ ' of ' ~ port.label ~ ' (' ~ port.contract_path ~ ') cannot be measured.'
          ~ '\n\n  allowed: not_null, unique, primary_key, check; for a foreign_key use the data test relationships.') %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro _declared_constraints(port) %}
  {% set declared = [] %}
  {% for column in port.columns %}
    {% for c in column.constraints or [] %}{% do declared.append([c.type, [column.name], c.expression]) %}{% endfor %}
  {% endfor %}
  {% for c in port.node.constraints or [] %}{% do declared.append([c.type, c.columns or [], c.expression]) %}{% endfor %}
  {% if port.unique_key %}{% do declared.append(['not_null', port.unique_key, none]) %}{% endif %}
  {{ return(declared) }}
{% endmacro %}

{# A service level is measured and shown, and never holds a version back: the one it would replace is older still. #}
{% macro _checks_from_freshness(port) %}
  {% set freshness = (port.node.config.meta or {}).get('freshness') or {} %}
  {% set checks = [] %}
  {% for level in ['warn_after', 'error_after'] if freshness.get(level) %}
    {% set column = portmesh.columns_in_sql(port, [freshness.column])[0] %}
    {% set arguments = {'column_name': column, 'count': freshness[level].count, 'period': freshness[level].period} %}
    {% do checks.append(portmesh._own_check(port, 'fresh_within', column, arguments, 'freshness_' ~ level, 'warn')) %}
  {% endfor %}
  {{ return(checks) }}
{% endmacro %}
