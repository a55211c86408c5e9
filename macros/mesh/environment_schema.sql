{# The name of a schema in this environment: orders in production, dev_ana__orders in dev_ana. dbt asks for it while
   it reads the project, so a name that cannot be one stops the command before anything is made. #}
{% macro environment_schema(schema) %}
  {%- do portmesh._assert_environment(target.schema) -%}
  {{- return(schema if target.schema == 'prod' else target.schema ~ '__' ~ schema) -}}
{% endmacro %}

{# No two underscores in a row: they are what parts the environment from the domain. #}
{% macro _assert_environment(name) %}
  {%- if not modules.re.fullmatch('[a-z][a-z0-9]*(_[a-z0-9]+)*', name | string) or name | string | length > 40 -%}
    {%- do exceptions.raise_dependency_error(
        'PORTMESH_ENVIRONMENT is no name of an environment, so nothing was done.\n\n'
        ~ '  got       ' ~ (name if name | string | trim else 'nothing') ~ '\n'
        ~ '  allowed   prod, or up to 40 small letters, digits and single underscores, a letter first:'
        ~ ' dev_ana, pr_12') -%}
  {%- endif -%}
{% endmacro %}
