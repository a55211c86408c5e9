{# [{relation, columns, exists, rows}] for the record tables of these domains, which count as existing from now on.
   `rows` selects the domain's records from an earlier Portmesh version. One statement creates the table from them, so
   that it has all of them or does not exist. #}
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
