{# Many checks share a statement, because each statement costs a round trip on Spark and at least 10 MB on Athena. #}
{% macro iceberg__checks_at_once(is_increment) %}{{ return(30) }}{% endmacro %}

{% macro iceberg__joined_texts(expression) %}
  {{- return("array_join(array_agg(cast(" ~ expression ~ " as " ~ portmesh.engine_type('string') ~ ")), ' ')") -}}
{% endmacro %}

{# A bucket for integers has 64 possible keys, one bit each: without duplicates, as many bits are set as there are rows.
   A bucket for texts is a 64-bit hash. #}
{% macro iceberg__key_buckets(column, data_type, rows) %}
  {% if data_type in ['tinyint', 'smallint', 'int', 'bigint'] %}
    {{ return(portmesh.engine_macro('word_buckets')(column)) }}
  {% endif %}
  {{ return(portmesh.engine_macro('hash_buckets')(column) if data_type == 'string' else none) }}
{% endmacro %}
