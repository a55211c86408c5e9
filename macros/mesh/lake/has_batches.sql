{# Whether the folder of a feed in the lake has a file, so that DuckDB can read it. #}
{% macro has_batches(feed) %}
  {% set folder = portmesh.text_literal(portmesh.lake_folder() ~ '/' ~ feed) %}
  {{ return(run_query('select count(*) from glob(' ~ folder ~ " || '/*/*')").rows[0][0] > 0) }}
{% endmacro %}
