{#
  Creates what reads the lake on the local target: landed(feed), the rows of all batches of a feed that keep
  their manifest's promise. A batch that does not stops the reader with a sentence that names it.

  Its text is a hook of the root project, at the start of a dbt command. Nothing of the lake's state is in it: what has
  landed since is read, and what is damaged since is named. On Spark and Athena a source is a table of the catalog.

  The where clause compares every file with its manifest whenever the rows are read. Where there is no file at all, or
  the first one is no Parquet, DuckDB cannot plan the statement, and says so itself: explain_lake_faults says the rest.
  No column in it may be named feed: it would be taken for landed()'s argument.
#}
{% macro create_lake_functions() %}
  {%- if target.type != 'duckdb' -%}{{- return('') -}}{%- endif -%}
  {%- set folder = portmesh._feed_folder() -%}
  create or replace macro main.landed(feed) as table
  select *
  from read_parquet({{ folder }} || '/*/data.parquet')
  where (
    with
    {{ portmesh.damaged_batches(folder, 'feed') }},
    {{ portmesh.contradicted_batches(folder) }},
    {{ portmesh.changed_feed_columns() }}
  )
{% endmacro %}

{# The folder of landed()'s argument, as SQL; what is no name never becomes a path. #}
{% macro _feed_folder() %}
  {%- set lake = portmesh.text_literal(portmesh.lake_folder() ~ '/') -%}
  {{- return("case when regexp_full_match(feed, '[A-Za-z0-9_-]+') then " ~ lake ~ " || feed"
      ~ " else error('landed() takes the name of a feed: letters, digits, _ and -.') end") -}}
{% endmacro %}
