{# A port without a history may start from the rows of another: a second version from the first, a renamed port from what it was.
   They are written, audited and published as the new port's first version; what consumers of the other read stays as it is. #}
{% macro start_port(port, other) %}
  {% set current = portmesh.read_history(other).current %}
  {% do portmesh._assert_can_start(port, other, current) %}
  {% set attempt = portmesh.write_audit_publish(port, portmesh._rows_as_contracted(port, other), 'start') %}
  {% do portmesh.assert_published(port, attempt.place, attempt.row_count) %}
  {% if not portmesh.is_made(other) %}{% do portmesh._record_rename(port, other, current, attempt.started_at) %}{% endif %}
  {{ adapter.commit() }}
  {{ return(attempt) }}
{% endmacro %}

{# The model's SQL. Where the port starts from another's rows, they are published first, and then the SQL is that of its increment. #}
{% macro sql_after_start(port) %}
  {% set other = portmesh._starts_from(port) if port.unique_key and not should_full_refresh() else none %}
  {% if not other or portmesh.read_history(port).current %}{{ return(compiled_code) }}{% endif %}
  {% if not portmesh.read_history(other).current %}
    {% do log(port.label ~ ' starts from its model alone: nothing is published here of ' ~ other.reads_as ~ ' (config.meta.starts_from).', info=true) %}
    {{ return(compiled_code) }}
  {% endif %}
  {% do portmesh.start_port(port, other) %}
  {% set sql, helpers = render(model.raw_code), [] %}
  {% for helper in model.extra_ctes %}{% do helpers.append(helper.sql) %}{% endfor %}
  {% if helpers %}{% set sql = 'with ' ~ helpers | join(', ') ~ ' select * from (\n' ~ sql ~ '\n) as model' %}{% endif %}
  {% do portmesh.begin_step('write') %}
  {% do portmesh.assert_port_contract(port, sql) %}
  {{ return(sql) }}
{% endmacro %}

{# The port of config.meta.starts_from: a version of the same model (1), or a name of the same domain that consumers read. #}
{% macro _starts_from(port) %}
  {% set given = portmesh.meta_of(port.node).get('starts_from') %}
  {% if given is none or given is undefined %}{{ return(none) }}{% endif %}
  {% for node in graph.nodes.values() if node.resource_type == 'model' and node.package_name == port.product %}
    {% if node.name == port.node.name and node.version and node.version | string == given | string %}{{ return(portmesh.describe_port(node)) }}{% endif %}
  {% endfor %}
  {{ return(portmesh.describe_relation(port.product ~ '.' ~ given)) }}
{% endmacro %}

{# Columns by name; those that the other port has not are null, those that the contract has not are left out. #}
{% macro _rows_as_contracted(port, other) %}
  {% set names, columns = [], [] %}
  {% for column in portmesh.table_columns(other.relation) %}{% do names.append(column.name | lower) %}{% endfor %}
  {% for column in port.columns %}
    {% set name = adapter.quote(column.name) %}
    {% set value = name if column.name | lower in names else 'null' %}
    {% do columns.append('cast(' ~ value ~ ' as ' ~ portmesh.engine_type(column.data_type) ~ ') as ' ~ name) %}
  {% endfor %}
  {{ return('select ' ~ columns | join(', ') ~ ' from ' ~ other.relation) }}
{% endmacro %}

{% macro _assert_can_start(port, other, current) %}
  {% set rows = [] %}
  {% for change in portmesh._changed_columns(port, portmesh.published_contract(other, current).columns) if change.breaks and change.now != 'not declared' %}
    {% do rows.append([change.column, change.now, change.before]) %}
  {% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: it starts from the rows of ' ~ other.reads_as ~ ', and a column has another type there.\n\n'
        ~ portmesh.text_table(['column', 'contract', other.reads_as], rows)
        ~ '\n\n  allowed         the same type, a wider one, or another name for the column'
        ~ '\n  next            change the contract (' ~ port.contract_path ~ '), or build it from the model alone: dbt build --full-refresh --select ' ~ port.node.name ~ '+') %}
  {% endif %}
{% endmacro %}

{# From now on the records tell of the other that its history goes on in this port. #}
{% macro _record_rename(port, other, current, started_at) %}
  {% set contract = dict(fromjson(current.contract or '{}'), goes_on_as=port.reads_as) %}
  {% do portmesh.record_attempt({
      'port': other, 'history': portmesh.read_history(other), 'current': current, 'checks': [], 'failed': [], 'row_count': current.row_count | int,
      'kind': 'rename', 'place': {'base': current.base}, 'contract_version': current.contract_version, 'contract': tojson(contract),
      'started_at': started_at}, 'renamed', current.version) %}
{% endmacro %}
