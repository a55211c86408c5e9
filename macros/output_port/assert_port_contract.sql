{# Raises where the contract is not one that every engine keeps, or the columns of the model's query are not the
   contract's. #}
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

{# Glue keeps names in lower case, and Spark refuses others. #}
{% macro _assert_portable_name(port) %}
  {% if not modules.re.match('^[a-z][a-z0-9_]{0,199}$', port.alias) %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its name is not one that every engine keeps.\n\n'
        ~ '  got       ' ~ port.alias ~ '\n'
        ~ '  allowed   lower-case letters, digits and _, a letter first, at most 200\n'
        ~ '  next      rename the model') %}
  {% endif %}
{% endmacro %}

{% macro _assert_portable_types(port) %}
  {% set pattern = '^(string|boolean|tinyint|smallint|int|bigint|double|date|timestamp|decimal\\(\\d+, ?\\d+\\))$' %}
  {% set allowed = 'string, boolean, tinyint, smallint, int, bigint, double, decimal(p,s), date, timestamp' %}
  {% set rows = [] %}
  {% for column in port.columns if not modules.re.match(pattern, column.data_type or '') %}
    {% do rows.append([column.name, column.data_type or 'none', allowed]) %}
  {% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its contract (' ~ port.contract_path
        ~ ') has types that not every engine knows.\n\n'
        ~ portmesh.text_table(['column', 'data_type', 'allowed'], rows)) %}
  {% endif %}
{% endmacro %}

{# A hundred is what Athena writes in one statement; of other partitions it takes as many statements as it needs. #}
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
  {% if buckets.product > 100 %}{% do rows.append([buckets.product ~ ' buckets', 'at most 100 together']) %}{% endif %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its partition_by is not what every engine can write.\n\n'
        ~ portmesh.text_table(['partition_by', 'allowed'], rows)) %}
  {% endif %}
{% endmacro %}

{% macro _assert_key_is_declared(port) %}
  {% set names = port.columns | map(attribute='name') | list %}
  {% set unknown = port.unique_key | reject('in', names) | join(', ') %}
  {% if unknown %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its unique_key ' ~ unknown ~ ' is no column of its contract ('
        ~ port.contract_path ~ ').\n\n  allowed: ' ~ names | join(', ')) %}
  {% endif %}
{% endmacro %}
