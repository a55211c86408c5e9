{# A full build runs its checks one by one, so that a check with broken SQL can be named. An increment's checks are
   small, so many share one statement. #}
{% macro duckdb__checks_at_once(is_increment) %}{{ return(30 if is_increment else 1) }}{% endmacro %}

{# A bucket for dense integers has 65,536 possible keys, one bit each: without duplicates, as many bits are set as there
   are rows. A bucket for texts is a 64-bit hash. #}
{% macro duckdb__key_buckets(column, data_type, rows) %}
  {% if data_type == 'string' %}
    {{ return({'key': 'hash(' ~ column ~ ')', 'holds_duplicates': 'count(*) > 1'}) }}
  {% elif data_type not in ['tinyint', 'smallint', 'int', 'bigint'] %}
    {{ return(none) }}
  {% endif %}
  {% set range = '(max(' ~ column ~ ')::hugeint - min(' ~ column ~ ')) // 65536' %}
  {% set facts = portmesh.query('select count(' ~ column ~ '), ' ~ range ~ ' from ' ~ rows).rows[0] %}
  {{ return(none if not facts[0] or facts[1] > 16 + facts[0] / 1000 else {
      'key': '(' ~ column ~ '::bigint >> 16)', 'keys_in_a_row': 65536,
      'holds_duplicates': 'count(*) <> bit_count(bitstring_agg((' ~ column ~ ' & 65535)::int, 0, 65535))'}) }}
{% endmacro %}

{% macro duckdb__joined_texts(expression) %}
  {{ return("string_agg(cast(" ~ expression ~ " as varchar), ' ')") }}
{% endmacro %}
