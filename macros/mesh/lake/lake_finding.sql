{# An aggregate over findings of one feed: the first of them, and how many there are. #}
{% macro lake_finding(feed) %}
  {%- set batch = feed ~ " || '/' || " ~ portmesh.shown_in_sql('min(batch_id)') -%}
  {%- set got = portmesh.shown_in_sql('arg_min(finding, batch_id)[1]') -%}
  {%- set allowed = portmesh.shown_in_sql('arg_min(finding, batch_id)[2]') -%}
  {{- return([
      batch, "' is not what its manifest promises, so '", feed, "' cannot be read.'", "chr(10)", "chr(10)",
      "'  got       '", got, "chr(10)", "'  allowed   '", allowed, "chr(10)",
      "case when count(*) > 1 then '  and       ' || (count(*) - 1) || ' more of its batches' || chr(10) else '' end",
      "'  next      portmesh land '", "coalesce(arg_min(finding, batch_id)[3], '--replace')", "' '", batch,
      "', then dbt build'",
  ] | join(' || ')) -}}
{% endmacro %}
