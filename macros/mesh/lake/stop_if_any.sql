{# SQL that returns true, or fails with the first finding. DuckDB evaluates it before it reads the rows it guards. #}
{% macro stop_if_any(findings) -%}
  select case when count(*) > 0 then error({{ portmesh.lake_finding('feed') }}) else true end from {{ findings }}
{%- endmacro %}
