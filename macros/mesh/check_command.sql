{# Stops a command that would do harm whatever the mesh looks like: one that reads a part of production's input, that writes to a
   database which is not the mesh's, or that would build from old copies of the domains. #}
{% macro check_command() %}
  {% if not execute or not portmesh.runs_hooks() %}{{ return('') }}{% endif %}
  {% set problem = portmesh._partial_run_problem() or portmesh._database_problem() or portmesh._old_packages_problem() %}
  {{ return(portmesh.stop_run(problem) if problem else '') }}
{% endmacro %}

{# --empty and --sample: decision 0006. #}
{% macro _partial_run_problem() %}
  {% if not portmesh.is_partial_run() %}{{ return('') }}{% endif %}
  {% set option = '--empty' if flags.EMPTY else '--sample' %}
  {% if target.schema == 'prod' %}
    {{ return('dbt ' ~ flags.WHICH ~ ' ' ~ option ~ ' was refused: this is production.\n\n'
        ~ '  why    it leaves models with no rows, or with a part of them, and the next build would publish from those\n'
        ~ '  next   PORTMESH_ENVIRONMENT=dev_<you> dbt ' ~ flags.WHICH ~ ' ' ~ option ~ ', in an environment of your own') }}
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

{% macro _database_problem() %}{{ return(adapter.dispatch('database_problem', 'portmesh')()) }}{% endmacro %}

{% macro default__database_problem() %}{{ return('') }}{% endmacro %}

{# A relative path starts where dbt was called: in another folder than the mesh's root, DuckDB has just made an empty database. #}
{% macro duckdb__database_problem() %}
  {% if modules.re.match('/|~|[A-Za-z]:|[a-z0-9]+:|:', target.path) %}{{ return('') }}{% endif %}
  {% set root_file = portmesh.text_literal(invocation_args_dict.project_dir ~ '/dbt_project.yml') %}
  {% set here = run_query(
      "select count(*) from read_text('dbt_project.ym[l]') where content in (select content from read_text(" ~ root_file ~ "))") %}
  {% if here.rows[0][0] %}{{ return('') }}{% endif %}
  {{ return('The database is not the one of this mesh, so nothing was built.\n\n'
      ~ '  got       ' ~ target.path ~ ', in the folder where dbt was called\n'
      ~ '  allowed   ' ~ target.path ~ ' in ' ~ invocation_args_dict.project_dir ~ '\n'
      ~ '  next      call dbt there, or set PORTMESH_DATABASE to an absolute path') }}
{% endmacro %}

{# `dbt deps` links the domains; where it cannot, it copies them, and a copy stays as it was. Only DuckDB sees the files. #}
{% macro _old_packages_problem() %}
  {% set names = adapter.dispatch('old_packages', 'portmesh')() %}
  {% if not names %}{{ return('') }}{% endif %}
  {{ return('The domains were edited since they were copied, so nothing was built.\n\n'
      ~ '  got    dbt_packages/' ~ names | join(', dbt_packages/') ~ ': not what is in domains/\n'
      ~ '  why    dbt deps copies a domain where it cannot link it\n'
      ~ '  next   dbt deps, then dbt ' ~ flags.WHICH) }}
{% endmacro %}

{% macro default__old_packages() %}{{ return([]) }}{% endmacro %}

{# Names of packages of which a file that dbt reads is not as in the domain of that name. #}
{% macro duckdb__old_packages() %}
  {% set root = invocation_args_dict.project_dir ~ '/' %}
  {% set sql %}
    with files as (
      select
        string_split(substr(filename, {{ root | length + 1 }}), '/') as parts,
        parts[1] as folder,
        parts[2] as package,
        parts[3:] as path,
        content
      from read_blob([{{ portmesh.text_literal(root ~ 'dbt_packages/*/**') }}, {{ portmesh.text_literal(root ~ 'domains/*/**') }}])
      where regexp_matches(filename, '[.](sql|yml|yaml|csv|md|py)$')
    )
    select distinct package
    from (select * from files where folder = 'dbt_packages') as copies
    full join (select * from files where folder = 'domains') as originals using (package, path)
    where copies.content is distinct from originals.content
      and package in (select package from files where folder = 'dbt_packages')
      and package in (select package from files where folder = 'domains')
    order by package
  {% endset %}
  {{ return(run_query(sql).columns[0].values() | list) }}
{% endmacro %}
