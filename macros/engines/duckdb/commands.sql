{# A relative path starts at the folder where dbt was called. If that is not the mesh's root, DuckDB has just created an
   empty database there. #}
{% macro duckdb__database_problem() %}
  {% if modules.re.match('/|~|[A-Za-z]:|[a-z0-9]+:|:', target.path) %}{{ return('') }}{% endif %}
  {% set root_file = portmesh.text_literal(invocation_args_dict.project_dir ~ '/dbt_project.yml') %}
  {% set is_root = 'content in (select content from read_text(' ~ root_file ~ '))' %}
  {% set here = run_query("select count(*) from read_text('dbt_project.ym[l]') where " ~ is_root) %}
  {% if here.rows[0][0] %}{{ return('') }}{% endif %}
  {{ return('This is not the mesh\'s own database, so nothing was built.\n\n'
      ~ '  got       ' ~ target.path ~ ', in the folder where dbt was called\n'
      ~ '  allowed   ' ~ target.path ~ ' in ' ~ invocation_args_dict.project_dir ~ '\n'
      ~ '  next      run dbt in that folder, or set PORTMESH_DATABASE to an absolute path') }}
{% endmacro %}

{# The packages with a file, of a kind that dbt reads, that differs from the domain of the same name. #}
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
      from read_blob([
        {{ portmesh.text_literal(root ~ 'dbt_packages/*/**') }}, {{ portmesh.text_literal(root ~ 'domains/*/**') }}])
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

{% macro duckdb__takes_comment(sql) %}{{ return(true) }}{% endmacro %}

{% macro duckdb__failing_statement(message) %}
  {{- return('select error(' ~ portmesh.text_literal(message) ~ ')') -}}
{% endmacro %}

{% macro duckdb__causes_of_faults() %}
  {{ return([
      {'pattern': 'No space left on device|File too large|Disk quota exceeded', 'tried': true,
       'cause': 'the disk with the mesh\'s database is full',
       'remedy': 'free up space, or set PORTMESH_DATABASE to another place'},
      {'pattern': 'Out of Memory Error', 'tried': true,
       'cause': 'this needs more memory than DuckDB may use',
       'remedy': 'use fewer threads (PORTMESH_THREADS), or raise memory_limit in profiles.yml'},
  ]) }}
{% endmacro %}

{% macro duckdb__refresh_views(node) %}{{ return('') }}{% endmacro %}
