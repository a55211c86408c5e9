{% macro port_checks(port) %}
  {% set checks, tables = [], portmesh._tables_by_name() %}
  {% for test in graph.nodes.values() if test.resource_type == 'test' and test.attached_node == port.id %}
    {% do portmesh._assert_reads_dependencies(port, test) %}
    {% do portmesh._assert_name_is_free(port, test, tables) %}
    {% do checks.append(portmesh._check_from_test(port, test)) %}
  {% endfor %}
  {% do checks.extend(portmesh._checks_from_constraints(port, checks)) %}
  {% do checks.extend(portmesh._checks_from_freshness(port)) %}
  {{ return(checks) }}
{% endmacro %}

{% macro _check_from_test(port, test) %}
  {% set kind = test.test_metadata.name %}
  {% set macros = [] %}
  {% for id in test.depends_on.macros if id.split('.') | last == 'test_' ~ kind %}{% do macros.append(id) %}{% endfor %}
  {% if not macros %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ test.alias ~ ' uses the generic test ' ~ kind ~ ', which nobody defines.') %}
  {% endif %}
  {% set stays_true = portmesh._stays_true(port, test.test_metadata.kwargs, test.config.where) %}
  {{ return({
      'id': test.unique_id, 'name': test.alias, 'kind': kind, 'macro': macros[0],
      'column': test.test_metadata.kwargs.get('column_name') or '',
      'kwargs': test.test_metadata.kwargs, 'where': test.config.where,
      'severity': test.config.severity | lower, 'warn_if': test.config.warn_if, 'error_if': test.config.error_if,
      'fail_calc': test.config.fail_calc, 'limit': test.config.limit,
      'dimension': check_dimension(kind, test.config.meta),
      'stays_true': stays_true, 'row_wise': portmesh._is_row_wise(test, stays_true),
      'failures_relation': api.Relation.create(database=test.get('database'), schema=test.schema, identifier=portmesh.table_name(test.alias), type='table'),
      'store_failures': test.config.store_failures,
  }) }}
{% endmacro %}

{# Not so where it looks at the clock, at chance, at other rows or at the port itself: then rows that passed may fail later.
   Arguments are looked at as they are written and as they are rendered. #}
{% macro _stays_true(port, kwargs, where) %}
  {% set texts = [where or ''] %}
  {% for name, value in kwargs.items() if name != 'model' %}
    {% do texts.extend([value, portmesh._render_argument(port, value, port.relation)]) %}
  {% endfor %}
  {% set moving = '(?i)\\b(select|over|current_(date|time|timestamp)|localtime(stamp)?|sys(date|timestamp))\\b'
      ~ '|\\b(now|today|getdate|curdate|get_current_\\w+|(unix|utc|clock|statement|transaction)_timestamp|rand|random|uuid) *\\('
      ~ '|\\bref\\([^)]*\\b' ~ port.node.name ~ '\\b' %}
  {{ return(not modules.re.search(moving, texts | join(' '))) }}
{% endmacro %}

{# Row by row, and the same tomorrow: its verdict on the whole is that on the parts, so an increment can be audited alone. #}
{% macro _is_row_wise(test, stays_true) %}
  {% set kinds = ['not_null', 'accepted_values', 'relationships', 'accepted_range', 'matches_pattern', 'expression_is_true'] %}
  {% set declared = (test.config.meta or {}).get('row_wise') %}
  {% if declared is not none %}{{ return(declared) }}{% endif %}
  {{ return(test.test_metadata.name in kinds and stays_true) }}
{% endmacro %}

{# The failing rows of a test are kept in a table of its name, beside the domain's internal models, seeds and snapshots. #}
{% macro _assert_name_is_free(port, test, tables) %}
  {% set kind = tables.get((test.schema ~ '.' ~ test.alias) | lower) %}
  {% if kind %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ test.alias ~ ' has the name of a ' ~ kind
        ~ ', whose table its failing rows would replace.\n\n  give the check a name of its own in ' ~ port.contract_path) %}
  {% endif %}
{% endmacro %}

{# {schema.table: what it is} of all that dbt builds. #}
{% macro _tables_by_name() %}
  {% set tables = {} %}
  {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'snapshot'] %}
    {% do tables.update({(node.schema ~ '.' ~ node.alias) | lower: node.resource_type}) %}
  {% endfor %}
  {{ return(tables) }}
{% endmacro %}

{% macro _assert_reads_dependencies(port, test) %}
  {% for id in test.depends_on.nodes if graph.nodes.get(id, {}).get('config', {}).get('materialized') == 'ephemeral' %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ test.alias ~ ' reads ' ~ graph.nodes[id].name
        ~ ', which is ephemeral, so there is nothing to read at the audit. Make it a view or a table.') %}
  {% endfor %}
  {% for id in test.depends_on.nodes if id != port.id and id not in port.node.depends_on.nodes %}
    {% set other = graph.nodes.get(id) or graph.sources.get(id) %}
    {% set reference = "source('" ~ other.source_name ~ "', '" ~ other.name ~ "')" if other.resource_type == 'source'
        else "ref('" ~ other.package_name ~ "', '" ~ other.name ~ "')" %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ test.alias ~ ' reads ' ~ other.package_name ~ '.' ~ other.name
        ~ ', which the port does not depend on, so it might not be built before the audit.'
        ~ '\n\n  add this line to ' ~ port.node.original_file_path ~ ':\n  -- depends_on: {{ ' ~ reference ~ ' }}'
        ~ '\n\n  If ' ~ other.name ~ ' reads ' ~ port.name ~ ' itself, only one of the two can be audited first: keep the check on one side.') %}
  {% endfor %}
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
      {% set kwargs = {'column_name': column} if column else ({'expression': expression} if expression else {'columns': columns}) %}
      {% set origin = 'constraint' if column else 'constraint_' ~ loop.index %}
      {% do checks.append(portmesh._own_check(port, name, column, kwargs, origin, 'error')) %}
      {% do present.append(name ~ ':' ~ column) %}
    {% endif %}
  {% endfor %}
  {{ return(checks) }}
{% endmacro %}

{# A check that warns, or looks at some of the rows, does not stand for a constraint. #}
{% macro _allows_no_failure(check) %}
  {{ return(check.severity == 'error' and not check.where and check.error_if == '!= 0' and check.fail_calc == 'count(*)'
      and check.macro.split('.')[1] in ['dbt', 'portmesh']) }}
{% endmacro %}

{# [kind, columns, expression] of each constraint, of the columns and of the model. A row whose unique_key is null could
   neither be replaced nor taken back, so an incremental port's key is not null. #}
{% macro _constraints(port) %}
  {% set found = [] %}
  {% set declared = [] %}
  {% for column in port.columns %}
    {% for c in column.constraints or [] %}{% do declared.append([c.type, [column.name], c.expression]) %}{% endfor %}
  {% endfor %}
  {% for c in port.node.constraints or [] %}{% do declared.append([c.type, c.columns or [], c.expression]) %}{% endfor %}
  {% if port.unique_key %}{% do declared.append(['not_null', port.unique_key, none]) %}{% endif %}
  {% for type, names, expression in declared %}
    {% set columns = portmesh.columns_in_sql(port, names) %}
    {% if type in ['not_null', 'primary_key'] %}
      {% for name in columns %}{% do found.append(['not_null', [name], none]) %}{% endfor %}
    {% endif %}
    {% if type in ['unique', 'primary_key'] %}{% do found.append(['unique', columns, none]) %}{% endif %}
    {% if type == 'check' %}{% do found.append(['expression_is_true', columns, expression]) %}{% endif %}
    {% if type not in ['not_null', 'primary_key', 'unique', 'check'] %}
      {% do exceptions.raise_dependency_error(
          port.label ~ ' was not written: its constraint ' ~ type ~ ' (' ~ port.contract_path ~ ') cannot be measured.'
          ~ '\n\n  allowed: not_null, unique, primary_key, check; for a foreign_key use the data test relationships.') %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# A service level is measured and shown, and never holds a version back: the one it would replace is older still. #}
{% macro _checks_from_freshness(port) %}
  {% set freshness = (port.node.config.meta or {}).get('freshness') or {} %}
  {% set checks = [] %}
  {% for level in ['warn_after', 'error_after'] if freshness.get(level) %}
    {% set column = portmesh.columns_in_sql(port, [freshness.column])[0] %}
    {% set kwargs = {'column_name': column, 'count': freshness[level].count, 'period': freshness[level].period} %}
    {% do checks.append(portmesh._own_check(port, 'fresh_within', column, kwargs, 'freshness_' ~ level, 'warn')) %}
  {% endfor %}
  {{ return(checks) }}
{% endmacro %}

{% macro _own_check(port, kind, column, kwargs, origin, severity) %}
  {% set name = origin ~ '_' ~ kind ~ '_' ~ port.alias ~ ('_' ~ modules.re.sub('\\W', '', column) if column else '') %}
  {% set stays_true = portmesh._stays_true(port, kwargs, none) %}
  {{ return({
      'id': port.id ~ ':' ~ name, 'name': name, 'kind': kind, 'column': column, 'kwargs': kwargs,
      'macro': 'macro.' ~ ('dbt' if kind in ['not_null', 'unique'] else 'portmesh') ~ '.test_' ~ kind,
      'where': none, 'severity': severity, 'warn_if': '!= 0', 'error_if': '!= 0', 'fail_calc': 'count(*)', 'limit': none,
      'dimension': check_dimension(kind, {}), 'stays_true': stays_true,
      'row_wise': kind in ['not_null', 'expression_is_true'] and stays_true,
      'failures_relation': portmesh.version_relation(port, portmesh.table_name(name)), 'store_failures': none,
  }) }}
{% endmacro %}
