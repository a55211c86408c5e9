{#
  Creates what reads the lake on the local target: landed(feed), the rows of all batches of a feed that keep
  their manifest's promise. A batch that does not stops the reader with a sentence that names it.

  Its text is a hook of the root project, at the start of a dbt command. On Spark and Athena a source is a table of the catalog.
#}
{% macro create_lake_functions() %}
  {{- return(adapter.dispatch('create_lake_functions', 'portmesh')()) -}}
{% endmacro %}

{% macro default__create_lake_functions() %}{% endmacro %}

{#
  The where clause compares every file with its manifest whenever the rows are read. It cannot speak when the first
  batch's file is damaged (DuckDB opens that one to plan the statement) or when there is no file at all: so each
  feed's state at the start of the command is part of the function, as the feed's files or an error in their place.
#}
{% macro duckdb__create_lake_functions() %}
  {% if not execute %}{{ return('') }}{% endif %}
  {% set lake = portmesh._lake_folder() %}
  {% set feeds = portmesh._inspect_feeds(lake) %}
    create or replace macro main.landed(feed) as table
    select *
    from read_parquet(
      case
        {% for name, problem in feeds.items() %}
        when feed = {{ portmesh._text(name) }} then {{ 'error(' ~ portmesh._text(problem) ~ ')' if problem else portmesh._text(lake ~ '/' ~ name ~ '/*/data.parquet') }}
        {% endfor %}
        when true then error(
          'The lake has no batch of ' || feed || '.' || chr(10) || chr(10)
          || {{ portmesh._text('  where   ' ~ lake) }} || chr(10) || '  next    portmesh land, then dbt build')
      end)
    where (
      with {{ portmesh._lake_findings(portmesh._text(lake ~ '/') ~ " || feed || '/*/*'") }}
      select case when count(*) > 0 then error({{ portmesh._finding_message() }}) else true end
      from findings
    )
{% endmacro %}

{# PORTMESH_LAKE; a relative one starts at the repository's root, wherever dbt was called. #}
{% macro _lake_folder() %}
  {%- set lake = env_var('PORTMESH_LAKE', '') or '.lake' -%}
  {%- set is_absolute = modules.re.match('^(/|~|[A-Za-z]:|[a-z0-9]+://)', lake) -%}
  {{- return(lake if is_absolute else invocation_args_dict.project_dir ~ '/' ~ lake) -}}
{% endmacro %}

{# {feed: what is wrong with its batches, or none} for each feed with a batch. #}
{% macro _inspect_feeds(lake) %}
  {% set pattern = portmesh._text(lake ~ '/[a-z]*/*/*') %}
  {% set feeds = {} %}
  {% for row in run_query('select distinct parse_path(file)[-3] from glob(' ~ pattern ~ ') order by 1').rows %}
    {% do feeds.update({row[0]: none}) %}
  {% endfor %}
  {% if feeds %}
    {% set sql = 'with ' ~ portmesh._lake_findings(pattern)
        ~ ' select feed_name, ' ~ portmesh._finding_message() ~ ' from findings group by feed_name' %}
    {% for row in run_query(sql).rows %}{% do feeds.update({row[0]: row[1]}) %}{% endfor %}
  {% endif %}
  {{ return(feeds) }}
{% endmacro %}

{#
  CTEs that end in findings: one row per batch that is not what its manifest promises. A feed's columns are those
  that most of its batches have. No column may be named feed: it would be taken for landed()'s argument.
#}
{% macro _lake_findings(pattern) %}
  files as (
    select
      parse_path(filename)[-3] as feed_name,
      parse_path(filename)[-2] as batch_id,
      parse_filename(filename) as file_name,
      content
    from read_blob({{ pattern }})
    where parse_filename(filename) in ('data.parquet', 'manifest.json')
  ),
  batches as (
    select
      feed_name,
      batch_id,
      max(case when file_name = 'data.parquet' then octet_length(content) end) as bytes_found,
      max(case when file_name = 'data.parquet' then sha256(content) end) as sha256_found,
      bool_or(file_name = 'manifest.json') as has_manifest,
      max(case when file_name = 'manifest.json' then try(decode(content)) end) as manifest_text
    from files
    group by all
  ),
  promises as (
    select
      *,
      case when json_valid(manifest_text) then manifest_text::json end as manifest,
      manifest ->> '$.feed' || '/' || (manifest ->> '$.batch_id') as batch_promised,
      try_cast(manifest ->> '$.bytes' as bigint) as bytes_promised,
      manifest ->> '$.sha256' as sha256_promised,
      manifest -> '$.columns' as columns_found
    from batches
  ),
  feed_columns as (
    select feed_name, first(columns_found order by batch_count desc, first_batch) as columns_promised
    from (
      select feed_name, columns_found, count(*) as batch_count, min(batch_id) as first_batch
      from promises
      where columns_found is not null
      group by feed_name, columns_found
    )
    group by feed_name
  ),
  findings as (
    select
      feed_name,
      batch_id,
      case
        when bytes_found is null then ['no data.parquet', 'data.parquet beside its manifest.json']
        when not has_manifest then ['no manifest.json', 'manifest.json beside its data.parquet']
        when manifest is null then ['a manifest.json that is no JSON', 'a manifest as portmesh land writes it']
        when batch_promised is distinct from feed_name || '/' || batch_id
          then ['the manifest of ' || coalesce(batch_promised, 'no batch'), 'the manifest of ' || feed_name || '/' || batch_id]
        when bytes_found is distinct from bytes_promised
          then [format('{:,} bytes', bytes_found), coalesce(format('{:,} bytes (manifest.json)', bytes_promised), 'a number of bytes in manifest.json')]
        when sha256_found is distinct from sha256_promised
          then ['sha256 ' || sha256_found[:12] || '…', coalesce('sha256 ' || sha256_promised[:12] || '… (manifest.json)', 'a sha256 in manifest.json')]
        when {{ portmesh._column_differences('columns_found', 'columns_promised') }} <> ''
          then [
            {{ portmesh._column_differences('columns_found', 'columns_promised') }},
            {{ portmesh._column_differences('columns_promised', 'columns_found') }} || ', as in most of its batches']
      end as finding
    from promises
    left join feed_columns using (feed_name)
    where finding is not null
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
{% macro _finding_message() %}
  {%- set batch = "min(feed_name || '/' || batch_id)" -%}
  {{- return(
      batch ~ " || ' is not what its manifest promises, so ' || min(feed_name) || ' cannot be read.' || chr(10) || chr(10)"
      ~ " || '  got       ' || arg_min(finding, batch_id)[1] || chr(10)"
      ~ " || '  allowed   ' || arg_min(finding, batch_id)[2] || chr(10)"
      ~ " || case when count(*) > 1 then '  and       ' || (count(*) - 1) || ' more of its batches' || chr(10) else '' end"
      ~ " || '  next      portmesh land --replace ' || " ~ batch ~ " || ', then dbt build'") -}}
{% endmacro %}

{% macro _text(value) %}
  {{- return("'" ~ value | string | replace("'", "''") ~ "'") -}}
{% endmacro %}
