{# Rows of SQL, joined, in parts that a statement can hold: Athena takes none over 262,144 bytes. #}
{% macro parts_of_statement(rows) %}
  {% set parts, part = [], namespace(rows=[], bytes=0) %}
  {% for row in rows %}
    {% do part.rows.append(row) %}
    {% set part.bytes = part.bytes + row.encode() | length + 2 %}
    {% if part.bytes > 200000 or loop.last %}
      {% do parts.append(part.rows | join(',\n')) %}
      {% set part.rows = [] %}{% set part.bytes = 0 %}
    {% endif %}
  {% endfor %}
  {{ return(parts) }}
{% endmacro %}
