{# The domains that have a table of records, in lower case, including domains that no longer exist. #}
{% macro recorded_products(name) %}
  {% set prefix, products = name ~ '__', [] %}
  {% for table in portmesh.existing_records() if table.startswith(prefix) %}
    {% do products.append(table[prefix | length:]) %}
  {% endfor %}
  {{ return(products | sort) }}
{% endmacro %}
