{# A new port may start from the rows of another port: a second version from the first, or a renamed port from its old
   name. The rows are written, audited and published as the new port's first version. The other port does not change. #}
{% macro start_port(port, other) %}
  {% set current = portmesh.read_history(other).current %}
  {% do portmesh._assert_can_start(port, other, current) %}
  {% set names = portmesh.table_columns(other.relation) | map(attribute='name') | map('lower') | list %}
  {% set rows = 'select ' ~ portmesh.columns_as_contracted(port, names) ~ ' from ' ~ other.relation %}
  {% set attempt = portmesh.write_audit_publish(port, rows, 'start') %}
  {% do portmesh.assert_published(port, attempt.place, attempt.row_count) %}
  {% if not portmesh.is_made(other) %}
    {% do portmesh._record_rename(port, other, current, attempt.started_at) %}
  {% endif %}
  {{ adapter.commit() }}
{% endmacro %}

{% macro _assert_can_start(port, other, current) %}
  {% set rows = [] %}
  {% set changes = portmesh.changed_columns(port, portmesh.published_contract(other, current).columns) %}
  {% for change in changes if change.breaks and change.now != 'not declared' %}
    {% do rows.append([change.column, change.now, change.before]) %}
  {% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: it starts from the rows of ' ~ other.reads_as
        ~ ', but a column has a different type there.\n\n'
        ~ portmesh.text_table(['column', 'contract', other.reads_as], rows)
        ~ '\n\n  allowed         the same type, a wider type, or a new column name\n'
        ~ '  next            change the contract (' ~ port.contract_path ~ '), or build it from the model alone:'
        ~ ' ' ~ portmesh.build_command(port.node, '--full-refresh')) %}
  {% endif %}
{% endmacro %}

{# Records for the old port that its history continues in this one. #}
{% macro _record_rename(port, other, current, started_at) %}
  {% set contract = dict(fromjson(current.contract or '{}'), goes_on_as=port.reads_as) %}
  {% set history = portmesh.read_history(other) %}
  {% do portmesh.record_event(other, history, current, 'rename', 'renamed', started_at, tojson(contract)) %}
{% endmacro %}
