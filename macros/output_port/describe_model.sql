{# Prints as JSON the columns that a port's model gives, those in its contract, and those that are published, and
   the checks of its columns. `sql` is the compiled model, which an operation does not have. Reads no rows. #}
{% macro describe_model(port, sql) %}
  {% set port = portmesh.find_port(port) %}
  {% do portmesh.assert_can_be_read(port.node, sql, 'The columns of ' ~ port.label ~ ' cannot be read') %}
  {% set current, types = portmesh.read_history(port).current, {'declared': {}, 'published': {}} %}
  {% set published = portmesh.published_contract(port, current).columns if current else [] %}
  {% for of, columns in [('declared', port.columns), ('published', published)] %}
    {% for column in columns %}{% do types[of].update({column.name: column.data_type}) %}{% endfor %}
  {% endfor %}
  {% do print(tojson({
      'label': port.label, 'model': port.node.name, 'version': (port.node.version or '') | string,
      'path': port.contract_path, 'contract_version': port.contract_version,
      'columns': portmesh._columns_of_query(sql, types.declared), 'declared': types.declared,
      'published': types.published, 'published_version': (current or {}).get('contract_version') or '',
      'checks': portmesh._checks_of_columns(port)})) %}
{% endmacro %}

{% macro _checks_of_columns(port) %}
  {% set found = [] %}
  {% for check in portmesh.list_checks(port) if check.column and check.id.startswith('test.') %}
    {% set arguments = {} %}
    {% for name, value in portmesh.stated_arguments(check).items() %}
      {% do arguments.update({name: portmesh._for_json(value)}) %}
    {% endfor %}
    {% do found.append({'kind': check.kind, 'column': check.column, 'arguments': arguments}) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# A date as its text: JSON has none. #}
{% macro _for_json(value) %}
  {% if value is mapping %}{{ return(value | string) }}{% endif %}
  {% if value is sequence and value is not string %}
    {% set items = [] %}
    {% for item in value %}{% do items.append(portmesh._for_json(item)) %}{% endfor %}
    {{ return(items) }}
  {% endif %}
  {{ return(value if value is none or value is string or value is number or value is boolean else value | string) }}
{% endmacro %}

{% macro _columns_of_query(sql, declared) %}
  {% set found, types = [], {} %}
  {% for name, type in declared.items() %}{% do types.update({name | lower: type}) %}{% endfor %}
  {% for column in portmesh.describe_query(sql) %}
    {% set type, in_contract = portmesh.portable_type(column.type), types.get(column.name | lower) %}
    {% do found.append({
        'name': column.name, 'data_type': type, 'is_portable': portmesh.is_contract_type(type),
        'fits': in_contract is string and portmesh.is_of_type(column.type, portmesh.described_type(in_contract))}) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
