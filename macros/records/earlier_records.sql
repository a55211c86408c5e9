{# A select of what an earlier release recorded, in one table for all domains: of these domains or, without any, of
   those that have no table of their own yet. It has the columns of today. #}
{% macro earlier_records(name, products=none) %}
  {% set earlier, columns, literals = portmesh.record_table(name), [], [] %}
  {% set names = portmesh.table_columns(earlier) | map(attribute='name') | map('lower') | list %}
  {% for column, type in portmesh.record_columns()[name].items() %}
    {% set value = column if column in names else 'null' %}
    {% do columns.append('cast(' ~ value ~ ' as ' ~ portmesh.engine_type(type) ~ ') as ' ~ column) %}
  {% endfor %}
  {% for product in products or portmesh.recorded_products(name) %}
    {% do literals.append(portmesh.literal(product | lower)) %}
  {% endfor %}
  {% set whose = 'lower(product) ' ~ ('in (' if products else 'not in (') ~ literals | join(', ') ~ ')' %}
  {{ return('select ' ~ columns | join(', ') ~ ' from ' ~ earlier ~ (' where ' ~ whose if literals else '')) }}
{% endmacro %}
