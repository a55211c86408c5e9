{# The name of a schema in this environment: orders in production, dev_ana__orders in dev_ana. dbt calls this while it
   parses the project, so an invalid name stops the command before anything is created. #}
{% macro environment_schema(schema) %}
  {%- do portmesh._assert_environment(target.schema) -%}
  {{- return(schema if target.schema == 'prod' else target.schema ~ '__' ~ schema) -}}
{% endmacro %}

{# Two underscores in a row are not allowed, because they separate the environment from the domain. #}
{% macro _assert_environment(name) %}
  {%- if not modules.re.fullmatch('[a-z][a-z0-9]*(_[a-z0-9]+)*', name | string) or name | string | length > 40 -%}
    {%- do exceptions.raise_dependency_error(
        'PORTMESH_ENVIRONMENT is not a valid environment name, so nothing was done.\n\n'
        ~ '  got       ' ~ (name if name | string | trim else 'nothing') ~ '\n'
        ~ '  allowed   prod, or up to 40 lower-case letters, digits and single underscores, starting with a letter:'
        ~ ' dev_ana, pr_12') -%}
  {%- endif -%}
{% endmacro %}
