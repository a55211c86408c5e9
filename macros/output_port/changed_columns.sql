{# The differences between the contract and the published columns, [{name, data_type}]. A difference is {column,
   data_type, change}, where `change` is add or widen, or {column, breaks, now, before}. #}
{% macro changed_columns(port, published) %}
  {% set have, changes = {}, [] %}
  {% for column in published %}{% do have.update({column.name | lower: column.data_type}) %}{% endfor %}
  {% for column in port.columns %}
    {% set name, type = column.name, column.data_type %}
    {% set old = have.pop(name | lower, none) %}
    {% if old is none %}
      {% do changes.append({'change': 'add', 'column': name, 'data_type': type}) %}
    {% elif portmesh._is_wider(old, type) %}
      {% do changes.append({'change': 'widen', 'column': name, 'data_type': type}) %}
    {% elif portmesh.stored_type(old) != portmesh.stored_type(type) %}
      {% do changes.append({'breaks': true, 'column': name, 'now': type, 'before': old}) %}
    {% endif %}
  {% endfor %}
  {% for name, type in have.items() %}
    {% do changes.append({'breaks': true, 'column': name, 'now': 'not declared', 'before': type}) %}
  {% endfor %}
  {{ return(changes) }}
{% endmacro %}

{# The type changes that Iceberg and Athena allow: https://iceberg.apache.org/spec/#schema-evolution #}
{% macro _is_wider(old, new) %}
  {% set integers = ['tinyint', 'smallint', 'int', 'bigint'] %}
  {% if old in integers and new in integers %}
    {% set is_stored_alike = portmesh.stored_type(old) == portmesh.stored_type(new) %}
    {{ return(integers.index(new) > integers.index(old) and not is_stored_alike) }}
  {% endif %}
  {% set before = modules.re.match('^decimal\\((\\d+),(\\d+)\\)$', old) %}
  {% set after = modules.re.match('^decimal\\((\\d+),(\\d+)\\)$', new) %}
  {{ return(before and after and before.group(2) == after.group(2) and after.group(1) | int > before.group(1) | int) }}
{% endmacro %}
