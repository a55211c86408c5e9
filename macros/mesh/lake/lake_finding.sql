{# An aggregate over the findings of one feed: a message about the first, with the number of others. #}
{% macro lake_finding(feed) %}
  {%- set batch = portmesh.shown_in_sql('min(batch_id)') -%}
  {%- set got = portmesh.shown_in_sql('arg_min(finding, batch_id)[1]') -%}
  {%- set allowed = portmesh.shown_in_sql('arg_min(finding, batch_id)[2]') -%}
  {{- return([
      feed, "'/'", batch, "' does not match its manifest, so '", feed, "' cannot be read.'", "chr(10)", "chr(10)",
      "'  got       '", got, "chr(10)", "'  allowed   '", allowed, "chr(10)",
      "case when count(*) > 1 then '  and       ' || (count(*) - 1) || ' more of its batches' || chr(10) else '' end",
      "'  next      portmesh land '", feed,
      "case when arg_min(finding, batch_id)[3] = 'withdraw' then ' --withdraw ' else ' FILE --replace --batch ' end",
      batch, "', then dbt build'",
  ] | join(' || ')) -}}
{% endmacro %}
