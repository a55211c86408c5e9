{# Stops a command that would do harm whatever the mesh looks like: one that reads a part of production's input, that
   writes to a database which is not the mesh's, or that would build from old copies of the domains. #}
{% macro check_command() %}
  {% if not execute or not portmesh.runs_hooks() %}{{ return('') }}{% endif %}
  {% set problem = portmesh._partial_run_problem() or portmesh.database_problem() or portmesh._old_packages_problem() %}
  {{ return(portmesh.stop_run(problem) if problem else '') }}
{% endmacro %}

{# --empty and --sample: decision 0006. #}
{% macro _partial_run_problem() %}
  {% if not portmesh.is_partial_run() %}{{ return('') }}{% endif %}
  {% set option = '--empty' if flags.EMPTY else '--sample' %}
  {% if target.schema == 'prod' %}
    {{ return('dbt ' ~ flags.WHICH ~ ' ' ~ option ~ ' was refused: this is production.\n\n'
        ~ '  why    it leaves models with no rows, or with a part of them, and the next build would publish from'
        ~ ' those\n'
        ~ '  next   PORTMESH_ENVIRONMENT=dev_<you> dbt ' ~ flags.WHICH ~ ' ' ~ option
        ~ ', in an environment of your own') }}
  {% endif %}
  {% set histories = portmesh._snapshots_with_rows() %}
  {% if histories %}
    {{ return('dbt ' ~ flags.WHICH ~ ' ' ~ option ~ ' was refused: it would take the missing rows for deleted ones.\n\n'
        ~ '  snapshot   ' ~ histories | join('\n             ') ~ '\n'
        ~ '  why        its history cannot be built again\n'
        ~ '  next       leave it out: --exclude resource_type:snapshot; or drop the table, then the same command') }}
  {% endif %}
  {{ return('') }}
{% endmacro %}

{# Relations of the selected snapshots that are there already. #}
{% macro _snapshots_with_rows() %}
  {% set found = [] %}
  {% for id in selected_resources if id.startswith('snapshot.') %}
    {% set node = graph.nodes[id] %}
    {% set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) %}
    {% if relation %}{% do found.append(node.schema ~ '.' ~ node.alias) %}{% endif %}
  {% endfor %}
  {{ return(found | sort) }}
{% endmacro %}

{# `dbt deps` links the domains; where it cannot, it copies them, and a copy stays as it was. #}
{% macro _old_packages_problem() %}
  {% set names = portmesh.old_packages() %}
  {% if not names %}{{ return('') }}{% endif %}
  {{ return('The domains were edited after dbt deps copied them, so nothing was built.\n\n'
      ~ '  got    dbt_packages/' ~ names | join(', dbt_packages/') ~ ': not what is in domains/\n'
      ~ '  why    dbt deps copies a domain where it cannot link it\n'
      ~ '  next   dbt deps, then dbt ' ~ flags.WHICH) }}
{% endmacro %}
