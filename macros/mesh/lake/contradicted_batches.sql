{# CTEs that end in `contradictions`: one row per batch whose Parquet does not match its manifest. They read only the
   files' footers, and only if no file is damaged. The footers' statistics show the batch and time of the rows. #}
{% macro contradicted_batches(folder) %}
  {%- set pattern, if_whole = folder ~ " || '/*/data.parquet'", '(' ~ portmesh.stop_if_any('damages') ~ ')' -%}
  {{ portmesh._counts_and_types(pattern, if_whole) }},
  {{ portmesh._stamps(pattern, if_whole) }},
  contradictions as (
    select
      promises.batch_id,
      {{ portmesh._contradiction() }} as finding
    from promises
    left join row_counts using (batch_id)
    left join types using (batch_id)
    left join stamps as batch_stamps
      on promises.batch_id = batch_stamps.batch_id and batch_stamps.stamp = '_batch_id'
    left join stamps as landed_stamps
      on promises.batch_id = landed_stamps.batch_id and landed_stamps.stamp = '_landed_at'
    where finding is not null
  )
{% endmacro %}

{% macro _counts_and_types(pattern, if_whole) -%}
  row_counts as (
    select
      parse_path(file_name)[-2] as batch_id,
      num_rows as rows_found
    from parquet_file_metadata({{ pattern }})
    where {{ if_whole }}
  ),
  types as (
    select
      parse_path(file_name)[-2] as batch_id,
      json_group_object(name, duckdb_type) as columns_found
    from parquet_schema({{ pattern }})
    where column_id > 0 and {{ if_whole }}
    group by file_name
  )
{%- endmacro %}

{% macro _stamps(pattern, if_whole) -%}
  stamps as (
    select
      parse_path(file_name)[-2] as batch_id,
      path_in_schema as stamp,
      case
        when count(stats_min_value) + sum(case when stats_null_count = num_values then 1 else 0 end) = count(*)
          then 0
      end + sum(stats_null_count) as nulls,
      min(stats_min_value) as first_found,
      max(stats_max_value) as last_found
    from parquet_metadata({{ pattern }})
    where path_in_schema in ('_batch_id', '_landed_at') and {{ if_whole }}
    group by file_name, path_in_schema
  )
{%- endmacro %}

{# [got, allowed] for a batch that does not match its manifest, else null. #}
{% macro _contradiction() -%}
  {%- set got, allowed = ['columns_found', 'columns_promised'], ['columns_promised', 'columns_found'] -%}
  case
    when rows_found is distinct from rows_promised
      then [format('{:,} rows', rows_found), format('{:,} rows (manifest.json)', rows_promised)]
    when {{ portmesh.column_differences(*got) }} <> ''
      then [
        {{ portmesh.column_differences(*got) }},
        {{ portmesh.column_differences(*allowed) }} || ' (manifest.json)']
    when rows_found > 0
      then coalesce(
        {{ portmesh._stamp_finding('_batch_id', 'batch_stamps', 'promises.batch_id') }},
        {{ portmesh._stamp_finding('_landed_at', 'landed_stamps', 'landed_at::text') }})
  end
{%- endmacro %}

{# [got, allowed] if not all rows of a batch have this value in `_batch_id` or `_landed_at`, else null. #}
{% macro _stamp_finding(column, found, value) -%}
  case
    when {{ found }}.stamp is null then ['no column {{ column }}', '{{ column }} ' || {{ value }} || ' in every row']
    when {{ found }}.nulls is null
      then ['no statistics for {{ column }} in data.parquet', 'a file with statistics, read instead of rows']
    when {{ found }}.nulls > 0
      then ['rows without a {{ column }}', '{{ column }} ' || {{ value }} || ' in every row']
    when {{ found }}.first_found <> {{ value }}
      then ['rows with the {{ column }} ' || {{ found }}.first_found, '{{ column }} ' || {{ value }} || ' in every row']
    when {{ found }}.last_found <> {{ value }}
      then ['rows with the {{ column }} ' || {{ found }}.last_found, '{{ column }} ' || {{ value }} || ' in every row']
  end
{%- endmacro %}
