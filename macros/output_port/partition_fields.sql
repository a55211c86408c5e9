{# A port's `partition_by` as [{text, transform, column, size}]. It is the same for every engine, and DuckDB ignores it.
   The transform of an unknown text is none. #}
{% macro partition_fields(node) %}
  {% set declared = node.config.get('partition_by') or [] %}
  {% set pattern = '^(?:(\\w+)|(year|month|day|hour)\\((\\w+)\\)|(bucket|truncate)\\((\\d+), ?(\\w+)\\))$' %}
  {% set fields = [] %}
  {% for text in ([declared] if declared is string else declared) %}
    {% set found = modules.re.match(pattern, text) %}
    {% set plain, of_time, time_column, of_size, size, size_column = found.groups() if found else [none] * 6 %}
    {% do fields.append({
        'text': text, 'transform': 'identity' if plain else of_time or of_size,
        'column': plain or time_column or size_column, 'size': size | int}) %}
  {% endfor %}
  {{ return(fields) }}
{% endmacro %}
