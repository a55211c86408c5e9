{# A pre-hook of each model. On the local target, DuckDB could not plan the model's SQL if a feed that it reads has no
   batch, so this raises a message that names the source table instead. On other targets a feed is a table. #}
{% macro assert_has_batches(node) %}
  {%- if not execute or target.type != 'duckdb' -%}{{- return('') -}}{%- endif -%}
  {%- for id in node.depends_on.nodes if id in graph.sources -%}
    {%- set feed = portmesh.feed_of(graph.sources[id]) -%}
    {%- if feed and not portmesh.has_batches(feed) -%}
      {%- do exceptions.raise_dependency_error(portmesh.no_batch(feed)) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}
