{# A select, with today's columns, of records that an earlier Portmesh version wrote to one table for all domains.
   Without `products`, it selects the domains that have no table of their own yet. #}
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
