{# Groups the items, in their order, one group per statement, because Athena accepts at most 262,144 bytes in a
   statement. `texts` is the SQL of each item; `at_most` is the maximum number of items in a group. #}
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
