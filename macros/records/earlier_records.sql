{# A select, with today's columns, of records that an earlier Portmesh version wrote to one table for all domains.
   Without `products`, it selects the domains that have no table of their own yet. #}
{% macro earlier_records(name, products=none) %}
  {% set earlier, literals = portmesh.record_table(name), [] %}
  {% set columns = portmesh.todays_columns(name, earlier) %}
  {% for product in products or portmesh.recorded_products(name) %}
    {% do literals.append(portmesh.literal(product | lower)) %}
  {% endfor %}
  {% set whose = 'lower(product) ' ~ ('in (' if products else 'not in (') ~ literals | join(', ') ~ ')' %}
  {{ return('select ' ~ columns | join(', ') ~ ' from ' ~ earlier ~ (' where ' ~ whose if literals else '')) }}
{% endmacro %}
