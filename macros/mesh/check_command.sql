{# Stops a command that would always do harm: one that reads only part of production's input, or another environment's
   tables in their place, writes to a database that is not the mesh's, or would build from outdated copies of the
   domains. #}
{% macro check_command() %}
  {% if not execute or not portmesh.runs_hooks() %}{{ return('') }}{% endif %}
  {% set problem = portmesh._partial_run_problem() or portmesh._deferral_problem() or portmesh.database_problem()
      or portmesh._old_packages_problem() %}
  {{ return(portmesh.stop_run(problem) if problem else '') }}
{% endmacro %}

{# Refuses --empty and --sample where they would do harm (decision 0006). #}
{% macro _partial_run_problem() %}
  {% if not portmesh.is_partial_run() %}{{ return('') }}{% endif %}
  {% set option = '--empty' if flags.EMPTY else '--sample' %}
  {% if target.schema == 'prod' %}
    {{ return('dbt ' ~ flags.WHICH ~ ' ' ~ option ~ ' was refused: this is production.\n\n'
        ~ '  why    it leaves models with no rows or only some, and the next build would publish those\n'
        ~ '  next   PORTMESH_ENVIRONMENT=dev_<you> dbt ' ~ flags.WHICH ~ ' ' ~ option
        ~ ', in your own environment') }}
  {% endif %}
  {% set histories = portmesh._snapshots_with_rows() %}
  {% if histories %}
    {{ return('dbt ' ~ flags.WHICH ~ ' ' ~ option ~ ' was refused: it would treat the missing rows as deleted.\n\n'
        ~ '  snapshot   ' ~ histories | join('\n             ') ~ '\n'
        ~ '  why        its history cannot be rebuilt\n'
        ~ '  next       add --exclude resource_type:snapshot; or drop the table, then run the same command again') }}
  {% endif %}
  {{ return('') }}
{% endmacro %}

{# Another environment's rows would be published as production's. #}
{% macro _deferral_problem() %}
  {% if not invocation_args_dict.get('defer') or target.schema != 'prod' %}{{ return('') }}{% endif %}
  {{ return('dbt ' ~ flags.WHICH ~ ' --defer was refused: production reads only its own tables.\n\n'
      ~ '  next   leave out --defer; or use your own environment: PORTMESH_ENVIRONMENT=dev_<you> dbt ' ~ flags.WHICH
      ~ ' --defer') }}
{% endmacro %}

{# The selected snapshots whose tables already exist. #}
{% macro _snapshots_with_rows() %}
  {% set found = [] %}
  {% for id in selected_resources if id.startswith('snapshot.') %}
    {% set node = graph.nodes[id] %}
    {% set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) %}
    {% if relation %}{% do found.append(node.schema ~ '.' ~ node.alias) %}{% endif %}
  {% endfor %}
  {{ return(found | sort) }}
{% endmacro %}

{# `dbt deps` links to the domains. If it cannot, it copies them, and a copy does not change when its domain does. #}
{% macro _old_packages_problem() %}
  {% set names = portmesh.old_packages() %}
  {% if not names %}{{ return('') }}{% endif %}
  {{ return('The domains were edited after dbt deps copied them, so nothing was built.\n\n'
      ~ '  got    dbt_packages/' ~ names | join(', dbt_packages/') ~ ': not the same as in domains/\n'
      ~ '  why    dbt deps copies a domain if it cannot link to it\n'
      ~ '  next   dbt deps, then dbt ' ~ flags.WHICH) }}
{% endmacro %}
