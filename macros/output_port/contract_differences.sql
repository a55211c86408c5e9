{# [[column, contract, got, what to do]] for each column that does not match the contract. `columns` is the result of
   describe_query, [{name, type}]. #}
{% macro contract_differences(port, columns) %}
  {% set got, rows = {}, [] %}
  {% for column in columns %}{% do got.update({column.name | lower: column.type}) %}{% endfor %}
  {% for column in port.columns %}
    {% set declared, type = column.data_type, got.pop(column.name | lower, none) %}
    {% if type is none %}
      {% set fix = 'select it, or remove it from the contract (a breaking change)' %}
      {% do rows.append([column.name, declared, 'missing', fix]) %}
    {% elif not portmesh.is_of_type(type, portmesh.described_type(declared)) %}
      {% set fix = 'cast(' ~ column.name ~ ' as ' ~ portmesh._type_in_sql(declared) ~ ')' %}
      {% do rows.append([column.name, declared, type | lower, fix]) %}
    {% endif %}
  {% endfor %}
  {% for name, type in got.items() %}
    {% do rows.append([name, 'not declared', type | lower, 'declare it, or leave it out of the final select']) %}
  {% endfor %}
  {{ return(rows) }}
{% endmacro %}

{# A type as a model should write it, so that it works on every engine. #}
{% macro _type_in_sql(data_type) %}
  {%- set macros = {'string': '{{ dbt.type_string() }}', 'timestamp': '{{ dbt.type_timestamp() }}'} -%}
  {{- return(macros.get(data_type, data_type)) -}}
{% endmacro %}
