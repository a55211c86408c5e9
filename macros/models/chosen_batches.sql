{# The batches that the variable PORTMESH_BATCHES names, or none if it is not set. It is read when a model is compiled
   for its build, and not while dbt parses, so that another value does not make dbt parse anything again. A unit test
   has batches of its own. #}
{% macro chosen_batches() %}
  {%- if not execute or not flags.INTROSPECT or model.resource_type == 'unit_test' -%}
    {{- return(none) -}}
  {%- endif -%}
  {%- set named = env_var('PORTMESH_BATCHES', '') -%}
  {%- if not named -%}{{- return(none) -}}{%- endif -%}
  {%- set batches = fromjson(named) -%}
  {%- if batches is none or batches is string or batches is mapping or not batches -%}
    {%- do exceptions.raise_dependency_error(
        'PORTMESH_BATCHES is not a list of batches.\n\n  got       ' ~ portmesh.printable(named, 80)
        ~ '\n  allowed   a JSON list of names: ["2017-W20"]\n  next      portmesh backfill sets it for you') -%}
  {%- elif should_full_refresh() -%}
    {%- do exceptions.raise_dependency_error(
        portmesh.label_of(model) ~ ' was not built: PORTMESH_BATCHES with --full-refresh would publish these batches'
        ~ ' in place of all others.\n\n  next   leave out one of the two') -%}
  {%- elif model.config.materialized == 'output_port' and not config.get('unique_key') -%}
    {%- do exceptions.raise_dependency_error(
        portmesh.label_of(model) ~ ' was not built: it is built whole, so these batches would be published in place of'
        ~ ' all others.\n\n  got    no unique_key\n  next   dbt build --select ' ~ model.name
        ~ '; or make the port incremental: config(unique_key=…)') -%}
  {%- endif -%}
  {{- return(batches) -}}
{% endmacro %}
