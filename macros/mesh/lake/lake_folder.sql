{# The folder in PORTMESH_LAKE. A relative path starts at the repository's root, wherever dbt runs. #}
{% macro lake_folder() %}
  {%- set lake = env_var('PORTMESH_LAKE', '') or '.lake' -%}
  {%- set is_absolute = modules.re.match('^(/|~|[A-Za-z]:|[a-z0-9]+://)', lake) -%}
  {{- return(lake if is_absolute else invocation_args_dict.project_dir ~ '/' ~ lake) -}}
{% endmacro %}
