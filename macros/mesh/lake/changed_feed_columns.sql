{# CTEs and a select that returns true, or fails if a batch lacks a column of an earlier one or has another type.
   A new column is null in earlier batches. The error does not say which are right: the data cannot show that. #}
{% macro changed_feed_columns() %}
  {%- set lost = "list_filter(json_keys(columns_first), lambda name: "
      ~ "(columns_first ->> name) is distinct from (columns_promised ->> name))" -%}
  {%- set differs = 'len(' ~ lost ~ ') > 0' -%}
  {{ portmesh._first_types() }},
  {{ portmesh._forms() }},
  changes as (
    select
      arg_min(columns_first, place) filter (differs) as columns_before,
      count(*) filter (not differs) as batches_before,
      arg_max(batch_id, place) filter (not differs) as last_before,
      arg_min(columns_promised, place) filter (differs) as columns_since,
      count(*) filter (differs) as batches_since,
      arg_min(batch_id, place) filter (differs) as first_since
    from (select *, {{ differs }} as differs from forms)
  )
  select case when first_since is not null then error({{ portmesh._change_message() }}) else true end from changes
{% endmacro %}

{# CTEs that end in `first_types`: since which batch the feed has each column, and of which type. #}
{% macro _first_types() -%}
  landed_columns as (
    select
      (landed_at, batch_id) as place,
      columns_promised,
      unnest(json_keys(columns_promised)) as column_name
    from promises
    where ({{ portmesh.stop_if_any('contradictions') }})
  ),
  first_types as (
    select
      column_name,
      min(place) as since,
      arg_min(columns_promised ->> column_name, place) as first_type
    from landed_columns
    group by column_name
  )
{%- endmacro %}

{# A CTE with the columns of each batch, and with those that it must have, because an earlier one has them. #}
{% macro _forms() -%}
  forms as (
    select
      batch_id,
      (landed_at, batch_id) as place,
      columns_promised,
      json_group_object(column_name, first_type) as columns_first
    from promises
    inner join first_types on since <= (landed_at, batch_id)
    group by batch_id, landed_at, columns_promised
  )
{%- endmacro %}

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
