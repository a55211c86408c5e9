{# [{text, transform, column, size}] of a port's `partition_by`, which is the same for every engine, and nothing on DuckDB;
   the transform of what is not known is none. #}
{% macro partition_fields(node) %}
  {% set declared = node.config.get('partition_by') or [] %}
  {% set pattern = '^(?:(\\w+)|(year|month|day|hour)\\((\\w+)\\)|(bucket|truncate)\\((\\d+), ?(\\w+)\\))$' %}
  {% set fields = [] %}
  {% for text in ([declared] if declared is string else declared) %}
    {% set found = modules.re.match(pattern, text) %}
    {% set column, of_time, its_column, of_size, size, sized_column = found.groups() if found else (none, none, none, none, none, none) %}
    {% do fields.append({
        'text': text, 'transform': 'identity' if column else of_time or of_size,
        'column': column or its_column or sized_column, 'size': size | int}) %}
  {% endfor %}
  {{ return(fields) }}
{% endmacro %}

{# A hundred is what Athena writes in one statement; of other partitions it takes as many statements as it needs. #}
{% macro assert_partitions_are_portable(port) %}
  {% set columns = port.columns | map(attribute='name') | list %}
  {% set rows, buckets = [], namespace(product=1) %}
  {% for field in portmesh.partition_fields(port.node) %}
    {% if not field.transform %}
      {% do rows.append([field.text, 'a column, year(c), month(c), day(c), hour(c), bucket(n, c), truncate(n, c)']) %}
    {% elif field.column not in columns %}
      {% do rows.append([field.text, 'a column of the contract: ' ~ columns | join(', ')]) %}
    {% endif %}
    {% if field.transform == 'bucket' %}{% set buckets.product = buckets.product * field.size %}{% endif %}
  {% endfor %}
  {% if buckets.product > 100 %}{% do rows.append([buckets.product ~ ' buckets', 'at most 100 together']) %}{% endif %}
  {% if rows %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its partition_by is not what every engine can write.\n\n'
        ~ portmesh.text_table(['partition_by', 'allowed'], rows)) %}
  {% endif %}
{% endmacro %}
