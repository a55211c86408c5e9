{# A full build's checks go one by one, so that the one that cannot be run is named; an increment's are many and
   small. #}
{% macro duckdb__checks_at_once(is_increment) %}{{ return(30 if is_increment else 1) }}{% endmacro %}

{# Dense integers: 65,536 keys a bucket, one bit each, and as many bits set as rows. Texts: a bucket for each 64-bit
   hash. #}
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
