{#
  Runs after a run on the local target. If DuckDB could not plan a statement because a feed has no batch, or a file is
  not Parquet, landed() could not report the problem itself, so this logs the same kind of message. DuckDB's own
  error is in dbt's output. On other targets a feed is a table, and there is nothing to explain.
#}
{% macro explain_lake_faults(results) %}
  {%- if target.type != 'duckdb' -%}{{- return('') -}}{%- endif -%}
  {%- set lake, feeds = portmesh.lake_folder(), [] -%}
  {%- set file = modules.re.escape(lake) ~ '/([A-Za-z0-9_-]+)/[^/]+/data\\.parquet' -%}
  {%- for result in results if result.status in ['error', 'runtime error'] -%}
    {%- do feeds.extend(modules.re.findall(file, result.message or '')) -%}
  {%- endfor -%}
  {%- for feed in feeds | unique -%}
    {%- set fault = portmesh._lake_fault(lake, feed) -%}
    {%- if fault -%}{%- do portmesh.say(fault) -%}{%- endif -%}
  {%- endfor -%}
{% endmacro %}

{% macro _lake_fault(lake, feed) %}
  {% set folder, name = portmesh.text_literal(lake ~ '/' ~ feed), portmesh.text_literal(feed) %}
  {% if not portmesh.has_batches(feed) %}{{ return(portmesh.no_batch(feed)) }}{% endif %}
  {% set damages = portmesh.damaged_batches(folder, name) %}
  {% set sql = 'with ' ~ damages ~ ' select ' ~ portmesh.lake_finding(name) ~ ' from damages' %}
  {{ return(run_query(sql).rows[0][0] or '') }}
{% endmacro %}
