{# CTEs that end in `damages`: one row per batch whose files do not match its manifest. Both arguments are SQL. #}
{% macro damaged_batches(folder, feed) %}
  {{ portmesh._landed_files(folder) }},
  {{ portmesh._promises() }},
  damages as (
    select
      batch_id,
      {{ portmesh._damage(feed) }} as finding
    from promises
    where finding is not null
  )
{% endmacro %}

{% macro _landed_files(folder) -%}
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
  )
{%- endmacro %}

{% macro _promises() -%}
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
  )
{%- endmacro %}

{# [got, allowed] for a damaged batch, else null. A third value says 'withdraw' if the batch cannot be replaced. #}
{% macro _damage(feed) -%}
  case
    when bytes_found is null and not has_manifest
      then ['no data.parquet and no manifest.json', 'a folder with both', 'withdraw']
    when bytes_found is null then ['no data.parquet', 'data.parquet next to its manifest.json']
    when not has_manifest then ['no manifest.json', 'manifest.json next to its data.parquet']
    when manifest is null then ['a manifest.json that is not JSON', 'a manifest as portmesh land writes it']
    when batch_promised is distinct from {{ feed }} || '/' || batch_id
      then [
        'the manifest of ' || coalesce(batch_promised, 'no batch'),
        'the manifest of ' || {{ feed }} || '/' || batch_id]
    when bytes_found is distinct from bytes_promised
      then [
        format('{:,} bytes', bytes_found),
        coalesce(format('{:,} bytes (manifest.json)', bytes_promised), 'a number of bytes in manifest.json')]
    when sha256_found is distinct from sha256_promised
      then [
        'sha256 ' || sha256_found[:12] || '…',
        coalesce('sha256 ' || sha256_promised[:12] || '… (manifest.json)', 'a sha256 in manifest.json')]
    when rows_promised is null or landed_at is null or columns_promised is null
      then ['a manifest.json without rows, landed_at or columns', 'a manifest as portmesh land writes it']
  end
{%- endmacro %}
