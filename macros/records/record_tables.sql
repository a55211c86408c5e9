{# [{relation, columns, exists, rows}] of the tables for the records of these domains, which count as there from now on.
   `rows` is a select of what an earlier release recorded of the domain: the table is made of it in one statement, so
   that it has all of them or is not there. #}
{% macro record_tables(products) %}
  {% set existing, tables = portmesh.existing_records(), [] %}
  {% for product in products %}
    {% for name, columns in portmesh.record_columns().items() %}
      {% set relation = portmesh.record_table(name, product) %}
      {% set exists = relation.identifier in existing %}
      {% set is_to_move = name in existing and not exists %}
      {% do tables.append({
          'relation': relation, 'columns': columns, 'exists': exists,
          'rows': portmesh.earlier_records(name, [product]) if is_to_move else none}) %}
      {% if not exists %}{% do existing.append(relation.identifier) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(tables) }}
{% endmacro %}
