{#
  Creates what reads the lake on the local target: landed(feed), the rows of all batches of a feed that keep
  their manifest's promise. A batch that does not stops the reader with a sentence that names it.

  Its text is a hook of the root project, at the start of a dbt command. Nothing of the lake's state is in it: what has
  landed since is read, and what is damaged since is named. On Spark and Athena a source is a table of the catalog.
#}
{% macro create_lake_functions() %}
  {{- return(adapter.dispatch('create_lake_functions', 'portmesh')()) -}}
{% endmacro %}

{% macro default__create_lake_functions() %}{% endmacro %}

{#
  The where clause compares every file with its manifest whenever the rows are read. Where there is no file at all, or the
  first one is no Parquet, DuckDB cannot plan the statement, and says so itself: explain_lake_faults says the rest.
  No column in it may be named feed: it would be taken for landed()'s argument.
#}
{% macro duckdb__create_lake_functions() %}
  {%- set folder = portmesh._feed_folder() -%}
  create or replace macro main.landed(feed) as table
  select *
  from read_parquet({{ folder }} || '/*/data.parquet')
  where (
    with
    {{ portmesh._damaged_batches(folder, 'feed') }},
    {{ portmesh._batches_of_another_content(folder) }},
    {{ portmesh._changed_feed_columns() }}
    select case when first_since is not null then error({{ portmesh._change_message() }}) else true end from changes
  )
{% endmacro %}

{# True, or an error that names the first of them. DuckDB answers it before it reads what it is a condition of. #}
{% macro _stop_if_any(findings) -%}
  select case when count(*) > 0 then error({{ portmesh._finding_message('feed') }}) else true end from {{ findings }}
{%- endmacro %}

{# PORTMESH_LAKE; a relative one starts at the repository's root, wherever dbt was called. #}
{% macro lake_folder() %}
  {%- set lake = env_var('PORTMESH_LAKE', '') or '.lake' -%}
  {%- set is_absolute = modules.re.match('^(/|~|[A-Za-z]:|[a-z0-9]+://)', lake) -%}
  {{- return(lake if is_absolute else invocation_args_dict.project_dir ~ '/' ~ lake) -}}
{% endmacro %}

{# The folder of landed()'s argument, as SQL; what is no name never becomes a path. #}
{% macro _feed_folder() %}
  {{- return("case when regexp_full_match(feed, '[A-Za-z0-9_-]+') then " ~ portmesh.text_literal(portmesh.lake_folder() ~ '/')
      ~ " || feed else error('landed() takes the name of a feed: letters, digits, _ and -.') end") -}}
{% endmacro %}

{# CTEs that end in damages: one row per batch whose files are not those of its manifest. Both arguments are SQL. #}
{% macro _damaged_batches(folder, feed) %}
  places as (
    select parse_filename(file) as batch_id from (
      from glob({{ folder }} || '/*/') union all from glob({{ folder }} || '/*'))
    where not starts_with(batch_id, '.')
  ),
  files as (
    select
      parse_path(filename)[-2] as batch_id,
      parse_filename(filename) as file_name,
      content
    from read_blob({{ folder }} || '/*/*')
    where file_name in ('data.parquet', 'manifest.json')
  ),
  batches as (
    select
      batch_id,
      max(case when file_name = 'data.parquet' then octet_length(content) end) as bytes_found,
      max(case when file_name = 'data.parquet' then sha256(content) end) as sha256_found,
      coalesce(bool_or(file_name = 'manifest.json'), false) as has_manifest,
      max(case when file_name = 'manifest.json' then try(decode(content)) end) as manifest_text
    from (from files union all by name from places)
    group by batch_id
  ),
  promises as (
    select
      *,
      case when json_valid(manifest_text) then manifest_text::json end as manifest,
      manifest ->> '$.feed' || '/' || (manifest ->> '$.batch_id') as batch_promised,
      try_cast(manifest ->> '$.bytes' as bigint) as bytes_promised,
      manifest ->> '$.sha256' as sha256_promised,
      try_cast(manifest ->> '$.rows' as bigint) as rows_promised,
      try_cast(manifest ->> '$.landed_at' as timestamp) as landed_at,
      manifest -> '$.columns' as columns_promised
    from batches
  ),
  damages as (
    select
      batch_id,
      case
        when bytes_found is null and not has_manifest
          then ['no data.parquet and no manifest.json', 'a folder with both', '--withdraw']
        when bytes_found is null then ['no data.parquet', 'data.parquet beside its manifest.json']
        when not has_manifest then ['no manifest.json', 'manifest.json beside its data.parquet']
        when manifest is null then ['a manifest.json that is no JSON', 'a manifest as portmesh land writes it']
        when batch_promised is distinct from {{ feed }} || '/' || batch_id
          then ['the manifest of ' || coalesce(batch_promised, 'no batch'), 'the manifest of ' || {{ feed }} || '/' || batch_id]
        when bytes_found is distinct from bytes_promised
          then [format('{:,} bytes', bytes_found), coalesce(format('{:,} bytes (manifest.json)', bytes_promised), 'a number of bytes in manifest.json')]
        when sha256_found is distinct from sha256_promised
          then ['sha256 ' || sha256_found[:12] || '…', coalesce('sha256 ' || sha256_promised[:12] || '… (manifest.json)', 'a sha256 in manifest.json')]
        when rows_promised is null or landed_at is null or columns_promised is null
          then ['a manifest.json without rows, landed_at or columns', 'a manifest as portmesh land writes it']
      end as finding
    from promises
    where finding is not null
  )
{% endmacro %}

{# CTEs that end in contradictions: one row per batch whose Parquet is not what its manifest says. They read the footers of
   the files, once all files are known to be whole; the rows' own batch and time are in the footers' statistics. #}
{% macro _batches_of_another_content(folder) %}
  {%- set pattern = folder ~ " || '/*/data.parquet'" -%}
  {%- set all_are_whole = '(' ~ portmesh._stop_if_any('damages') ~ ')' -%}
  row_counts as (
    select
      parse_path(file_name)[-2] as batch_id,
      num_rows as rows_found
    from parquet_file_metadata({{ pattern }})
    where {{ all_are_whole }}
  ),
  types as (
    select
      parse_path(file_name)[-2] as batch_id,
      json_group_object(name, duckdb_type) as columns_found
    from parquet_schema({{ pattern }})
    where column_id > 0 and {{ all_are_whole }}
    group by file_name
  ),
  stamps as (
    select
      parse_path(file_name)[-2] as batch_id,
      path_in_schema as stamp,
      case when count(stats_min_value) + sum(case when stats_null_count = num_values then 1 else 0 end) = count(*) then 0 end
        + sum(stats_null_count) as nulls,
      min(stats_min_value) as first_found,
      max(stats_max_value) as last_found
    from parquet_metadata({{ pattern }})
    where path_in_schema in ('_batch_id', '_landed_at') and {{ all_are_whole }}
    group by file_name, path_in_schema
  ),
  contradictions as (
    select
      promises.batch_id,
      case
        when rows_found is distinct from rows_promised
          then [format('{:,} rows', rows_found), format('{:,} rows (manifest.json)', rows_promised)]
        when {{ portmesh._column_differences('columns_found', 'columns_promised') }} <> ''
          then [
            {{ portmesh._column_differences('columns_found', 'columns_promised') }},
            {{ portmesh._column_differences('columns_promised', 'columns_found') }} || ' (manifest.json)']
        when rows_found > 0
          then coalesce(
            {{ portmesh._stamp_finding('_batch_id', 'promises.batch_id') }},
            {{ portmesh._stamp_finding('_landed_at', 'landed_at::text') }})
      end as finding
    from promises
    left join row_counts using (batch_id)
    left join types using (batch_id)
    left join stamps as batch_stamps on promises.batch_id = batch_stamps.batch_id and batch_stamps.stamp = '_batch_id'
    left join stamps as landed_stamps on promises.batch_id = landed_stamps.batch_id and landed_stamps.stamp = '_landed_at'
    where finding is not null
  )
{% endmacro %}

{# [got, allowed] where a batch's rows do not all have this value in a column that every landed row has; else null. #}
{% macro _stamp_finding(column, value) -%}
  {%- set found = 'batch_stamps' if column == '_batch_id' else 'landed_stamps' -%}
  case
    when {{ found }}.stamp is null then ['no column {{ column }}', '{{ column }} ' || {{ value }} || ' in every row']
    when {{ found }}.nulls is null
      then ['no statistics of {{ column }} in data.parquet', 'a file with them: the rows are not read to see it']
    when {{ found }}.nulls > 0 then ['rows without a {{ column }}', '{{ column }} ' || {{ value }} || ' in every row']
    when {{ found }}.first_found <> {{ value }} or {{ found }}.last_found <> {{ value }}
      then [
        'rows with the {{ column }} ' || case when {{ found }}.first_found <> {{ value }} then {{ found }}.first_found else {{ found }}.last_found end,
        '{{ column }} ' || {{ value }} || ' in every row']
  end
{%- endmacro %}

{# CTEs that end in changes: one row, with first_since where batches have other columns than the one that landed
   first. Which of them are right is not said: the data cannot know. #}
{% macro _changed_feed_columns() %}
  {%- set differs = portmesh._column_differences('columns_promised', 'columns_first') ~ " <> ''" -%}
  forms as (
    select
      batch_id,
      (landed_at, batch_id) as place,
      columns_promised,
      first_value(columns_promised) over (order by landed_at, batch_id) as columns_first
    from promises
    where ({{ portmesh._stop_if_any('contradictions') }})
  ),
  changes as (
    select
      any_value(columns_first) as columns_before,
      count(*) filter (not differs) as batches_before,
      arg_max(batch_id, place) filter (not differs) as last_before,
      arg_min(columns_promised, place) filter (differs) as columns_since,
      count(*) filter (differs) as batches_since,
      arg_min(batch_id, place) filter (differs) as first_since
    from (select *, {{ differs }} as differs from forms)
  )
{% endmacro %}

{# The columns of `these` that `others` have not, or with another type, as text: "sales_value VARCHAR". #}
{% macro _column_differences(these, others) -%}
  array_to_string(
    list_transform(
      list_filter(
        list_sort(list_distinct(list_concat(json_keys({{ these }}), json_keys({{ others }})))),
        lambda name: ({{ these }} ->> name) is distinct from ({{ others }} ->> name)),
      lambda name: name || ' ' || coalesce({{ these }} ->> name, 'missing')),
    ', ')
{%- endmacro %}

{# An aggregate over findings of one feed: the first of them, and how many there are. #}
{% macro _finding_message(feed) %}
  {%- set batch = feed ~ " || '/' || " ~ portmesh._shown('min(batch_id)') -%}
  {{- return(
      batch ~ " || ' is not what its manifest promises, so ' || " ~ feed ~ " || ' cannot be read.' || chr(10) || chr(10)"
      ~ " || '  got       ' || " ~ portmesh._shown('arg_min(finding, batch_id)[1]') ~ " || chr(10)"
      ~ " || '  allowed   ' || " ~ portmesh._shown('arg_min(finding, batch_id)[2]') ~ " || chr(10)"
      ~ " || case when count(*) > 1 then '  and       ' || (count(*) - 1) || ' more of its batches' || chr(10) else '' end"
      ~ " || '  next      portmesh land ' || coalesce(arg_min(finding, batch_id)[3], '--replace') || ' ' || " ~ batch
      ~ " || ', then dbt build'") -}}
{% endmacro %}

{% macro _change_message() %}
  {%- set many = "case when {0} = 1 then '1 batch' else {0} || ' batches' end" -%}
  {%- set before = portmesh._shown(portmesh._column_differences('columns_before', 'columns_since')) -%}
  {%- set since = portmesh._shown(portmesh._column_differences('columns_since', 'columns_before')) -%}
  {%- set first, last = portmesh._shown('first_since'), portmesh._shown('last_before') -%}
  {{- return(
      "'The columns of ' || feed || ' changed with the batch ' || " ~ first ~ " || ', so it cannot be read.' || chr(10) || chr(10)"
      ~ " || '  before    ' || " ~ before ~ " || ' (' || " ~ many.format('batches_before') ~ " || ', the last to land ' || " ~ last
      ~ " || ')' || chr(10)"
      ~ " || '  since     ' || " ~ since ~ " || ' (' || " ~ many.format('batches_since') ~ " || ', the first to land ' || " ~ first
      ~ " || ')' || chr(10)"
      ~ " || '  next      if it is a mistake: portmesh land --replace ' || feed || '/' || " ~ first ~ " || ', then dbt build' || chr(10)"
      ~ " || '            if it is meant: land the other ' || " ~ many.format('batches_before') ~ " || ' again with the new columns,' || chr(10)"
      ~ " || '            or the new ones as a feed of another name, and union both in staging'") -}}
{% endmacro %}

{# A text from outside as it may be shown: in one line, without what a terminal would obey. SQL for what printable() does. #}
{% macro _shown(text) %}
  {{- return("regexp_replace(left(" ~ text ~ ", 200), '[\\p{C}\\p{Zl}\\p{Zp}]', '�', 'g')") -}}
{% endmacro %}
