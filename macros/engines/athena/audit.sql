{% macro athena__word_buckets(key) %}
  {%- set bit = 'bitwise_left_shift(bigint \'1\', cast(bitwise_and(cast(' ~ key ~ ' as bigint), 63) as integer))' -%}
  {{- return({
      'key': 'bitwise_right_shift_arithmetic(cast(' ~ key ~ ' as bigint), 6)', 'keys_in_a_row': 64,
      'holds_duplicates': 'count(*) <> bit_count(bitwise_or_agg(' ~ bit ~ '), 64)'}) -}}
{% endmacro %}

{% macro athena__hash_buckets(key) %}
  {{- return({'key': 'from_big_endian_64(xxhash64(to_utf8(' ~ key ~ ')))', 'holds_duplicates': 'count(*) > 1'}) -}}
{% endmacro %}
