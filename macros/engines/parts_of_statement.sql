{# Items in groups, in their order, each for one statement: `texts` is the SQL of each, of which Athena takes no more
   than 262,144 bytes at a time; `at_most` is how many may go together. #}
{% macro parts_of_statement(items, texts, at_most=none) %}
  {% set parts, bytes = [], namespace(together=0) %}
  {% for item in items %}
    {% set its_bytes = texts[loop.index0].encode() | length + 2 %}
    {% if not parts or parts[-1] | length == at_most or bytes.together + its_bytes > 200000 %}
      {% do parts.append([]) %}
      {% set bytes.together = 0 %}
    {% endif %}
    {% do parts[-1].append(item) %}
    {% set bytes.together = bytes.together + its_bytes %}
  {% endfor %}
  {{ return(parts) }}
{% endmacro %}
