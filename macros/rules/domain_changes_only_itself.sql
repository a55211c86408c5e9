{# PM110: dbt looks a macro up in the model's own package first, so a domain's namesake of a shared macro would replace
   it for its own ports, the audit's helpers included. What a domain brings along, packages and hooks at the start or
   end of a run, is everybody's. #}
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
        ' has a hook (' ~ hook.tags | join(', ') ~ ') that would run in every run of the mesh.',
        'Make it a model', 'dbt_project.yml')) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _findings_in_macro(domain, macro) %}
  {% set replaced = portmesh._what_it_replaces(macro.name) %}
  {% set remedy = 'Take it out; the platform team adds what every domain may use to the root'
      if macro.name.startswith('materialization_')
      else 'Give it a name of its own, such as ' ~ domain ~ '_' ~ macro.name.removeprefix('test_') %}
  {% set place, what = {'package_name': domain, 'config': {}}, 'The macro ' ~ macro.name ~ ' of ' ~ domain ~ replaced %}
  {{ return([portmesh.finding('PM110', place, what, remedy, portmesh.file_of(macro))] if replaced else []) }}
{% endmacro %}

{% macro _what_it_replaces(name) %}
  {% if name.startswith('materialization_') %}{{ return(' is a materialization.') }}{% endif %}
  {% set of_jinja = ['cycler', 'dict', 'joiner', 'lipsum', 'namespace', 'range'] %}
  {% if name in context or name in of_jinja %}
    {{ return(' has the name of a shared one and would replace it.') }}
  {% endif %}
  {% set engine, shared = name.partition('__')[::2] %}
  {% set is_form = shared and shared in context and engine in ['default', 'duckdb', 'spark', 'athena'] %}
  {{ return(' is an engine\'s form of the shared macro ' ~ shared ~ '.' if is_form else '') }}
{% endmacro %}

{# A package that one domain names is installed for all, and dbt finds its tests by their short names from every
   domain. #}
{% macro _findings_in_project(domain) %}
  {% set findings, project, names = [], portmesh.read_packages()[domain], [] %}
  {% for package in project.packages.packages %}
    {% do names.append(package.package or package.local or package.git or package.tarball or 'one') %}
  {% endfor %}
  {% if names %}
    {% do findings.append(portmesh._finding_of_domain(domain,
        ' brings packages of its own (' ~ names | join(', ') ~ '), whose macros would be there for every domain.',
        'Take the file out; the platform team adds a package to packages.yml of the root',
        project.packages_specified_path)) %}
  {% endif %}
  {% if project.dispatch %}
    {% do findings.append(portmesh._finding_of_domain(domain,
        ' says with dispatch where macros are looked up, which the root decides for all.', 'Take it out',
        'dbt_project.yml')) %}
  {% endif %}
  {{ return(findings) }}
{% endmacro %}

{% macro _finding_of_domain(domain, what, remedy, path) %}
  {% set place = {'package_name': domain, 'config': {}} %}
  {{ return(portmesh.finding('PM110', place, domain ~ what, remedy, portmesh.file_of(place, path))) }}
{% endmacro %}
