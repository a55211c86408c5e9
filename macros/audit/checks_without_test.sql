{# The checks of a port that are not dbt tests: its constraints and its freshness. Same form as list_checks returns. #}
{% macro checks_without_test(port, tests) %}
  {{ return(portmesh._checks_from_constraints(port, tests) + portmesh._checks_from_freshness(port)) }}
{% endmacro %}

{# A constraint is measured like any other check. If the engine enforced it, the error would not show the failing rows.
   #}
{% macro _checks_from_constraints(port, tests) %}
  {% set checks, present = [], [] %}
  {% for check in tests if portmesh.allows_no_failure(check) %}
    {% do present.append([check.kind, check.column]) %}
  {% endfor %}
  {% for kind, columns, expression in portmesh._constraints(port) %}
    {% set column = columns[0] if columns | length == 1 and not expression else '' %}
    {% set name = kind if column or expression else 'unique_combination' %}
    {% if not column or [name, column] not in present %}
      {% set arguments = {'column_name': column} if column else {'expression': expression} if expression
          else {'columns': columns} %}
      {% set origin = 'constraint' if column else 'constraint_' ~ loop.index %}
      {% do checks.append(portmesh._check_without_test(port, name, column, arguments, origin, 'error')) %}
      {% do present.append([name, column]) %}
    {% endif %}
  {% endfor %}
  {{ return(checks) }}
{% endmacro %}

{# [kind, columns, expression] for each constraint of the columns and of the model. The key of an incremental port must
   not be null, because a row with a null unique_key could never be replaced or removed. #}
{% macro _constraints(port) %}
  {% set found = [] %}
  {% for type, names, expression in portmesh._declared_constraints(port) %}
    {% set columns = portmesh.columns_in_sql(port, names) %}
    {% for name in columns if type in ['not_null', 'primary_key'] %}
      {% do found.append(['not_null', [name], none]) %}
    {% endfor %}
    {% if type in ['unique', 'primary_key'] %}{% do found.append(['unique', columns, none]) %}{% endif %}
    {% if type == 'check' %}{% do found.append(['expression_is_true', columns, expression]) %}{% endif %}
    {% if type not in ['not_null', 'primary_key', 'unique', 'check'] %}
      {% do exceptions.raise_dependency_error(
          port.label ~ ' was not audited: its constraint ' ~ type ~ ' cannot be measured.'
          ~ '\n\n  where     ' ~ port.contract_path ~ '\n  allowed   not_null, unique, primary_key, check'
          ~ '\n  next      instead of foreign_key, use the data test relationships') %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro _declared_constraints(port) %}
  {% set declared = [] %}
  {% for column in port.columns %}
    {% for one in column.constraints or [] %}
      {% do declared.append([one.type, [column.name], one.expression]) %}
    {% endfor %}
  {% endfor %}
  {% for one in port.node.constraints or [] %}
    {% do declared.append([one.type, one.columns or [], one.expression]) %}
  {% endfor %}
  {% if port.unique_key %}{% do declared.append(['not_null', port.unique_key, none]) %}{% endif %}
  {{ return(declared) }}
{% endmacro %}

{# Freshness is measured and shown, but never blocks a version, because the version it would replace is even older. #}
{% macro _checks_from_freshness(port) %}
  {% set freshness = (port.node.config.meta or {}).get('freshness') or {} %}
  {% set checks = [] %}
  {% for level in ['warn_after', 'error_after'] if freshness.get(level) %}
    {% set column = portmesh.columns_in_sql(port, [freshness.column])[0] %}
    {% set arguments = {'column_name': column, 'count': freshness[level].count, 'period': freshness[level].period} %}
    {% set origin = 'freshness_' ~ level %}
    {% do checks.append(portmesh._check_without_test(port, 'fresh_within', column, arguments, origin, 'warn')) %}
  {% endfor %}
  {{ return(checks) }}
{% endmacro %}

{# Rendered like a check from the port's YAML. #}
{% macro _check_without_test(port, kind, column, arguments, origin, severity) %}
  {% set at_column = '_' ~ portmesh._as_part_of_a_name(column) if column else '' %}
  {% set name = origin ~ '_' ~ kind ~ '_' ~ port.alias ~ at_column %}
  {% set macro_id = 'macro.' ~ ('dbt' if kind in ['not_null', 'unique'] else 'portmesh') ~ '.test_' ~ kind %}
  {% set id, database, schema = port.id ~ ':' ~ name, port.relation.database, port.internal_schema %}
  {{ return(dict(portmesh.check_traits(macro_id, {}),
      id=id, name=name, kind=kind, macro=macro_id, column=column, severity=severity, where=none, limit=none,
      warn_if='!= 0', error_if='!= 0', fail_calc='count(*)', store_failures=none,
      arguments=dict(arguments, model='{{ get_where_subquery(portmesh_audited.relation) }}'),
      test={'unique_id': id, 'name': name, 'alias': name, 'database': database, 'schema': schema, 'config': {}},
      code='{{ ' ~ macro_id.split('.', 1)[1] ~ '(**_dbt_generic_test_kwargs) }}',
      failures_relation=portmesh.failures_relation(database, schema, name, id, false))) }}
{% endmacro %}

{# Leaves out characters that a name cannot have, such as a blank, and adds a few letters to keep the name unique. #}
{% macro _as_part_of_a_name(column) %}
  {% set bare = column.strip('"`') %}
  {% set part = modules.re.sub('\\W', '', bare) %}
  {{ return(part if part == bare else part ~ '_' ~ local_md5(bare)[:6]) }}
{% endmacro %}
