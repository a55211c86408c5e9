{% macro assert_port_contract(port, sql) %}
  {% do portmesh._assert_portable_name(port) %}
  {% do portmesh._assert_portable_types(port) %}
  {% do portmesh.assert_partitions_are_portable(port) %}
  {% do portmesh._assert_key_is_declared(port) %}
  {% set contract = portmesh.contract_columns(port) %}
  {% set model_columns = portmesh.describe_query(sql) %}
  {% set rows = portmesh._contract_differences(port, contract, model_columns) %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: the model does not match its contract (' ~ port.contract_path ~ ').\n\n'
        ~ portmesh.text_table(['column', 'contract', 'model', 'what to do'], rows)) %}
  {% endif %}
{% endmacro %}

{% macro _contract_differences(port, contract, model_columns) %}
  {% set got = {} %}{% for c in model_columns %}{% do got.update({c.name | lower: c.type}) %}{% endfor %}
  {% set rows = [] %}
  {% for column in contract %}
    {% set declared = port.columns[loop.index0].data_type %}
    {% set type = got.pop(column.name | lower, none) %}
    {% if type is none %}
      {% do rows.append([column.name, declared, 'missing', 'select it, or take it out of the contract (a breaking change)']) %}
    {% elif not portmesh.is_of_type(type, column.type) %}
      {% do rows.append([column.name, declared, type | lower, 'cast(' ~ column.name ~ ' as ' ~ portmesh._type_in_sql(declared) ~ ')']) %}
    {% endif %}
  {% endfor %}
  {% for name, type in got.items() %}
    {% do rows.append([name, 'not declared', type | lower, 'declare it, or leave it out of the final select']) %}
  {% endfor %}
  {{ return(rows) }}
{% endmacro %}

{# A type as a model spells it, the same for every engine. #}
{% macro _type_in_sql(data_type) %}
  {{- return({'string': '{{ dbt.type_string() }}', 'timestamp': '{{ dbt.type_timestamp() }}'}.get(data_type, data_type)) -}}
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
  {% set allowed = '^(string|boolean|tinyint|smallint|int|bigint|double|date|timestamp|decimal\\(\\d+, ?\\d+\\))$' %}
  {% set rows = [] %}
  {% for column in port.columns if not modules.re.match(allowed, column.data_type or '') %}
    {% do rows.append([column.name, column.data_type or 'none', 'string, boolean, tinyint, smallint, int, bigint, double, decimal(p,s), date, timestamp']) %}
  {% endfor %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its contract (' ~ port.contract_path ~ ') has types that not every engine knows.\n\n'
        ~ portmesh.text_table(['column', 'data_type', 'allowed'], rows)) %}
  {% endif %}
{% endmacro %}

{% macro _assert_key_is_declared(port) %}
  {% set names = port.columns | map(attribute='name') | list %}
  {% set unknown = port.unique_key | reject('in', names) | list %}
  {% if unknown %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its unique_key ' ~ unknown | join(', ') ~ ' is no column of its contract (' ~ port.contract_path ~ ').'
        ~ '\n\n  allowed: ' ~ names | join(', ')) %}
  {% endif %}
{% endmacro %}

{% macro contract_query(port) %}
  {%- set casts = [] -%}
  {%- for column in port.columns -%}
    {%- do casts.append('cast(null as ' ~ portmesh.engine_type(column.data_type) ~ ') as ' ~ adapter.quote(column.name)) -%}
  {%- endfor -%}
  {{- return('select ' ~ casts | join(', ')) -}}
{% endmacro %}

{# [{name, type}] of the contract, the types as the engine describes them. #}
{% macro contract_columns(port) %}
  {%- set columns = [] -%}
  {%- for column in port.columns -%}
    {%- do columns.append({'name': column.name, 'type': portmesh.described_type(column.data_type)}) -%}
  {%- endfor -%}
  {{- return(columns) -}}
{% endmacro %}
