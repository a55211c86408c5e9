{# CTEs and a select that returns true, or fails if a batch has other columns than the batch that landed first. The
   error does not say which are right, because the data cannot show that. #}
{% macro changed_feed_columns() %}
  {%- set differs = portmesh.column_differences('columns_promised', 'columns_first') ~ " <> ''" -%}
  forms as (
    select
      batch_id,
      (landed_at, batch_id) as place,
      columns_promised,
      first_value(columns_promised) over (order by landed_at, batch_id) as columns_first
    from promises
    where ({{ portmesh.stop_if_any('contradictions') }})
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
  select case when first_since is not null then error({{ portmesh._change_message() }}) else true end from changes
{% endmacro %}

{% macro _change_message() %}
  {%- set batches = "case when {0} = 1 then '1 batch' else {0} || ' batches' end" -%}
  {%- set old, new = batches.format('batches_before'), batches.format('batches_since') -%}
  {%- set before = portmesh.shown_in_sql(portmesh.column_differences('columns_before', 'columns_since')) -%}
  {%- set since = portmesh.shown_in_sql(portmesh.column_differences('columns_since', 'columns_before')) -%}
  {%- set first, last = portmesh.shown_in_sql('first_since'), portmesh.shown_in_sql('last_before') -%}
  {{- return([
      "'The columns of '", "feed", "' changed with the batch '", first, "', so it cannot be read.'", "chr(10)",
      "chr(10)",
      "'  before    '", before, "' ('", old, "', last landed: '", last, "')'", "chr(10)",
      "'  since     '", since, "' ('", new, "', first landed: '", first, "')'", "chr(10)",
      "'  next      if it is a mistake: portmesh land '", "feed", "' FILE --replace --batch '", first,
      "', then dbt build'",
      "chr(10)",
      "'            if it is intended: land the other '", old, "' again with the new columns,'", "chr(10)",
      "'            or land the new ones as a separate feed, and union both in staging'",
  ] | join(' || ')) -}}
{% endmacro %}
