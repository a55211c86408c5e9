{% macro spark__word_buckets(key) %}
  {{- return({
      'key': 'shiftright(' ~ key ~ ', 6)', 'keys_in_a_row': 64,
      'holds_duplicates': 'count(*) <> bit_count(bit_or(shiftleft(1L, cast(' ~ key ~ ' & 63 as int))))'}) -}}
{% endmacro %}

{% macro spark__hash_buckets(key) %}
  {{ return({'key': 'xxhash64(' ~ key ~ ')', 'holds_duplicates': 'count(*) > 1'}) }}
{% endmacro %}
