{#
  Creates landed(feed), which reads the lake on the local target: it returns the rows of all batches of a feed, or fails
  with an error that names a batch that does not match its manifest.

  A hook of the root project runs this SQL at the start of a dbt command. It contains nothing about the lake's state, so
  landed() also sees batches that land, or are damaged, later. On Spark and Athena a source is a table in the catalog.

  The where clause compares every file with its manifest whenever the rows are read. If there is no file at all, or one
  of them is not Parquet, DuckDB cannot plan the statement and fails with its own error; explain_lake_faults then adds
  an explanation. No column may be named feed, because DuckDB would read the argument of landed() instead.
#}
{% macro create_lake_functions() %}
  {%- if target.type != 'duckdb' -%}{{- return('') -}}{%- endif -%}
  {%- set folder = portmesh._feed_folder() -%}
  create or replace macro main.landed(feed) as table
  select *
  from read_parquet({{ folder }} || '/*/data.parquet', union_by_name = true, hive_partitioning = false)
  where (
    with
    {{ portmesh.damaged_batches(folder, 'feed') }},
    {{ portmesh.contradicted_batches(folder) }},
    {{ portmesh.changed_feed_columns() }}
  )
{% endmacro %}

{# SQL for the folder of the feed that is landed()'s argument. Only valid names are used in a path. #}
{% macro _feed_folder() %}
  {%- set lake = portmesh.text_literal(portmesh.lake_folder() ~ '/') -%}
  {{- return("case when regexp_full_match(feed, '[A-Za-z0-9_-]+') then " ~ lake ~ " || feed"
      ~ " else error('landed() takes the name of a feed: letters, digits, _ and -.') end") -}}
{% endmacro %}
