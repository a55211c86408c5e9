{# PM110: dbt looks for a macro in the model's own package first, so a domain's macro with the name of a shared one
   would replace it for the domain's ports, even inside the audit. A domain's packages and its on-run-start and
   on-run-end hooks would affect every domain. #}
{% macro domain_changes_only_itself(mesh) %}
  {% set findings, macros = [], portmesh.macros_by_package() %}
  {% for domain in mesh.domains %}
    {% for macro in macros.get(domain, []) %}
      {% do findings.extend(portmesh._findings_in_macro(domain, macro)) %}
    {% endfor %}
    {% do findings.extend(portmesh._findings_in_project(domain)) %}
  {% endfor %}
  {% for hook in mesh.hooks if hook.package_name != project_name %}
    {% do findings.append(portmesh._finding_of_domain(hook.package_name,
        ' has a hook (' ~ hook.tags | join(', ') ~ ') that would run in every run of every domain.',
        'Make it a model', 'dbt_project.yml')) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _findings_in_macro(domain, macro) %}
  {% set replaced = portmesh._what_it_replaces(macro.name) %}
  {% set remedy = 'Remove it; the platform team adds to the root what every domain may use'
      if macro.name.startswith('materialization_')
      else 'Give it a different name, such as ' ~ domain ~ '_' ~ macro.name.removeprefix('test_') %}
  {% set place, what = {'package_name': domain, 'config': {}}, 'The macro ' ~ macro.name ~ ' of ' ~ domain ~ replaced %}
  {{ return([portmesh.finding('PM110', place, what, remedy, portmesh.file_of(macro))] if replaced else []) }}
{% endmacro %}

{% macro _what_it_replaces(name) %}
  {% if name.startswith('materialization_') %}
    {{ return(' is a materialization, which only the root may have.') }}
  {% endif %}
  {% set of_jinja = ['cycler', 'dict', 'joiner', 'lipsum', 'namespace', 'range'] %}
  {% if name in context or name in of_jinja %}
    {{ return(' has the name of a shared macro and would replace it.') }}
  {% endif %}
  {% set engine, shared = name.partition('__')[::2] %}
  {% set is_form = shared and shared in context and engine in ['default', 'duckdb', 'spark', 'athena'] %}
  {{ return(' would replace the shared macro ' ~ shared ~ ' on one engine.' if is_form else '') }}
{% endmacro %}

{# dbt installs one domain's packages for every domain, and finds their tests by short name from every domain. #}
{% macro _findings_in_project(domain) %}
  {% set findings, project, names = [], portmesh.read_packages()[domain], [] %}
  {% for package in project.packages.packages %}
    {% do names.append(package.package or package.local or package.git or package.tarball or 'one') %}
  {% endfor %}
  {% if names %}
    {% do findings.append(portmesh._finding_of_domain(domain,
        ' installs packages (' ~ names | join(', ') ~ '), which would add their macros to every domain.',
        'Delete the file; the platform team adds packages to the root packages.yml',
        project.packages_specified_path)) %}
  {% endif %}
  {% if project.dispatch %}
    {% do findings.append(portmesh._finding_of_domain(domain,
        ' sets dispatch, the search order for macros, which only the root may set.', 'Remove it',
        'dbt_project.yml')) %}
  {% endif %}
  {{ return(findings) }}
{% endmacro %}

{% macro _finding_of_domain(domain, what, remedy, path) %}
  {% set place = {'package_name': domain, 'config': {}} %}
  {{ return(portmesh.finding('PM110', place, domain ~ what, remedy, portmesh.file_of(place, path))) }}
{% endmacro %}
