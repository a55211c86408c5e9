{# Raises if the contract cannot work on every engine, or if the columns of the model's query do not match it. #}
{% macro assert_port_contract(port, sql) %}
  {% do portmesh._assert_portable_name(port) %}
  {% do portmesh._assert_portable_types(port) %}
  {% do portmesh._assert_portable_partitions(port) %}
  {% do portmesh._assert_key_is_declared(port) %}
  {% set rows = portmesh.contract_differences(port, portmesh.describe_query(sql)) %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: the model does not match its contract (' ~ port.contract_path ~ ').\n\n'
        ~ portmesh.text_table(['column', 'contract', 'model', 'what to do'], rows)) %}
  {% endif %}
{% endmacro %}

{# Glue stores names in lower case, and Spark refuses other characters. #}
{% macro _assert_portable_name(port) %}
  {% if not modules.re.match('^[a-z][a-z0-9_]{0,199}$', port.alias) %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its name is not valid on every engine.\n\n'
        ~ '  got       ' ~ port.alias ~ '\n'
        ~ '  allowed   lower-case letters, digits and _, starting with a letter, at most 200 characters\n'
        ~ '  next      rename the model') %}
  {% endif %}
{% endmacro %}

{% macro _assert_portable_types(port) %}
  {% set allowed = 'string, boolean, tinyint, smallint, int, bigint, double, decimal(p,s), date, timestamp' %}
  {% set rows = [] %}
  {% for column in port.columns if not portmesh.is_contract_type(column.data_type) %}
    {% do rows.append([column.name, column.data_type or 'none', allowed]) %}
  {% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its contract (' ~ port.contract_path
        ~ ') has types that do not exist on every engine.\n\n'
        ~ portmesh.text_table(['column', 'data_type', 'allowed'], rows)) %}
  {% endif %}
{% endmacro %}

{# Athena writes at most 100 partitions in one statement. Rows can be divided among statements by the values of other
   partition columns, but not by bucket. #}
{% macro _assert_portable_partitions(port) %}
  {% set columns = port.columns | map(attribute='name') | list %}
  {% set rows, buckets = [], namespace(product=1) %}
  {% for field in portmesh.partition_fields(port.node) %}
    {% if not field.transform %}
      {% do rows.append([field.text, 'a column, year(c), month(c), day(c), hour(c), bucket(n, c), truncate(n, c)']) %}
    {% elif field.column not in columns %}
      {% do rows.append([field.text, 'a column of the contract: ' ~ columns | join(', ')]) %}
    {% endif %}
    {% if field.transform == 'bucket' %}{% set buckets.product = buckets.product * field.size %}{% endif %}
  {% endfor %}
  {% if buckets.product > 100 %}{% do rows.append([buckets.product ~ ' buckets', 'at most 100 in total']) %}{% endif %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its partition_by does not work on every engine.\n\n'
        ~ portmesh.text_table(['partition_by', 'allowed'], rows)) %}
  {% endif %}
{% endmacro %}

{% macro _assert_key_is_declared(port) %}
  {% set names = port.columns | map(attribute='name') | list %}
  {% set unknown = port.unique_key | reject('in', names) | join(', ') %}
  {% if unknown %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its unique_key ' ~ unknown ~ ' is not a column of its contract ('
        ~ port.contract_path ~ ').\n\n  allowed: ' ~ names | join(', ')) %}
  {% endif %}
{% endmacro %}
