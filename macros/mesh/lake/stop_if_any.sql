{# True, or an error that names the first of them. DuckDB answers it before it reads what it is a condition of. #}
{% macro stop_if_any(findings) -%}
  select case when count(*) > 0 then error({{ portmesh.lake_finding('feed') }}) else true end from {{ findings }}
{%- endmacro %}
