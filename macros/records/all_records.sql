{# A select of the records of all domains. It ignores rows in a domain's table that are about another domain. #}
{% macro all_records(name) %}
  {% set columns, selects = portmesh.record_columns()[name], [] %}
  {% for product in portmesh.recorded_products(name) %}
    {% do selects.append(
        'select ' ~ columns.keys() | join(', ') ~ ' from ' ~ portmesh.record_table(name, product)
        ~ ' where lower(product) = ' ~ portmesh.literal(product)) %}
  {% endfor %}
  {% if name in portmesh.existing_records() %}{% do selects.append(portmesh.earlier_records(name)) %}{% endif %}
  {{ return(selects | join('\nunion all\n') or portmesh._no_records(columns)) }}
{% endmacro %}

{% macro _no_records(columns) %}
  {% set nulls = [] %}
  {% for column, type in columns.items() %}
    {% do nulls.append('cast(null as ' ~ portmesh.engine_type(type) ~ ') as ' ~ column) %}
  {% endfor %}
  {{ return('select ' ~ nulls | join(', ') ~ ' where 1 = 0') }}
{% endmacro %}
