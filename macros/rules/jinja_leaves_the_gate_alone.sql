{# PM122: dbt gives every model and macro the same `graph`, the same session and the mesh's own macros. What a domain's Jinja
   names of them is looked up in its code only, never in its SQL or its comments. #}
{% macro jinja_leaves_the_gate_alone(mesh) %}
  {% set findings = [] %}
  {% set macros = portmesh.macros_by_package() %}
  {% set of_gate = portmesh._macros_of_the_gate(macros[project_name]) %}
  {% set of_root = portmesh._hooks_of_root() %}
  {% set suspicious = modules.re.compile('(?i)graph|context|builtins|render|manifest|db_wrapper|load_dependencies|config\\s*[.[|]|adapter'
      ~ '|portmesh|ref\\b(?!\\s*\\()|source\\s*\\.|begin|transaction|commit|rollback|abort') %}
  {% set calls = modules.re.compile('(\\w+)\\s*\\(') %}
  {% for node in mesh.readers if node.package_name in mesh.domains and node.language != 'python' %}
    {% set texts = [node.raw_code] %}
    {% if node.config['pre-hook'] or node.config['post-hook'] or node.config.sql_header %}
      {% for kind, sql in portmesh._statements_beside(node) if sql not in of_root %}{% do texts.append(sql) %}{% endfor %}
    {% endif %}
    {% for text in texts if text and (suspicious.search(text) or calls.findall(text) | select('in', of_gate) | first) %}
      {% do findings.extend(portmesh._findings_in_jinja(node, portmesh.label_of(node), text, of_gate)) %}
    {% endfor %}
  {% endfor %}
  {% for test in mesh.tests if test.package_name in mesh.domains %}
    {% set arguments = test.test_metadata.kwargs | string if test.test_metadata else '' %}
    {% set texts = [] if test.test_metadata else [test.raw_code] %}
    {# two brackets are those of its model, get_where_subquery(ref('...')) #}
    {% if suspicious.search(arguments) or arguments.count('(') > 2 %}{% do texts.extend(portmesh._strings_in(test.test_metadata.kwargs)) %}{% endif %}
    {% for text in texts %}
      {% do findings.extend(portmesh._findings_in_jinja(test, portmesh.label_of(test), text, of_gate)) %}
    {% endfor %}
  {% endfor %}
  {% for domain in mesh.domains %}
    {% for macro in macros.get(domain, []) %}
      {% do findings.extend(portmesh._findings_in_jinja(macro, 'The macro ' ~ macro.name ~ ' of ' ~ domain, macro.macro_sql, of_gate)) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# dbt takes an argument that is one call, such as ref('lines'), for Jinja without its braces. #}
{% macro _strings_in(value) %}
  {% set found = [] %}
  {% if value is string %}
    {% set is_call = modules.re.match('\\s*(env_var|ref|var|source|doc)\\s*\\(', value) %}
    {% if is_call or '{' in value %}{% do found.append('{{ ' ~ value ~ ' }}' if is_call else value) %}{% endif %}
  {% elif value is mapping %}
    {% for key, part in value.items() if key != 'model' %}{% do found.extend(portmesh._strings_in(part)) %}{% endfor %}
  {% elif value is sequence %}
    {% for part in value %}{% do found.extend(portmesh._strings_in(part)) %}{% endfor %}
  {% endif %}
  {{ return(found) }}
{% endmacro %}

{% macro _findings_in_jinja(node, label, text, of_gate) %}
  {% set findings = [] %}
  {% set code = portmesh.jinja_code(text) if '{' in text else '' %}
  {% set names = portmesh._names_of_the_gate(code, of_gate) if code else [] %}
  {% if names %}
    {% do findings.append(portmesh.finding('PM122', node, label ~ ' uses ' ~ names | join(', ') ~ ', which belongs to the gate.',
        'Use ref(), source(), config.get(), and of the mesh the macros in checks/, models/ and mesh/', portmesh.file_of(node))) %}
  {% endif %}
  {% set statement = portmesh._ends_a_transaction(code, text) %}
  {% if statement %}
    {% do findings.append(portmesh.finding('PM122', node, label ~ ' runs ' ~ statement ~ ', which would end the transaction of a publication.',
        'Take it out', portmesh.file_of(node))) %}
  {% endif %}
  {{ return(findings) }}
{% endmacro %}

{% macro _names_of_the_gate(code, of_gate) %}
  {% set names = [] %}
  {% set bare = portmesh.without_strings(code) %}
  {% do names.extend(modules.re.findall(
      '(?<![\\w.])(?:graph|context|builtins|render(?=\\s*\\())\\b|(?<![\\w.])adapter\\s*\\.\\s*(?:config|commit|clear_transaction)\\b'
      ~ '|(?<![\\w.])config\\s*\\.\\s*(?:model|context_config)\\b'
      ~ '|(?<![\\w.])(?:ref|source)\\s*\\.\\s*(?:manifest|config|model|db_wrapper)\\b'
      ~ '|(?<![\\w.])ref\\b(?!\\s*(?:[(.]|=(?!=)))|(?<![\\w.])(?:config|adapter|portmesh)(?=\\s*[\\[|])'
      ~ '|(?<=\\.)\\s*(?:manifest|flat_graph|db_wrapper|load_dependencies|context)\\b', bare)) %}
  {% do names.extend(modules.re.findall('(?:\\[|\\battr\\s*\\()\\s*["\'](manifest|flat_graph|db_wrapper|load_dependencies|context)["\']', code)) %}
  {% for name in modules.re.findall('(?<![\\w.])(?:portmesh\\s*\\.\\s*)?(\\w+)\\s*\\(|(?<=portmesh\\.)(\\w+)', bare) | map('join') %}
    {% if name in of_gate %}{% do names.append(name) %}{% endif %}
  {% endfor %}
  {{ return(names | map('trim') | unique | list) }}
{% endmacro %}

{# Private macros of the mesh, and those of the rooms that a domain has no business in; what dbt has by the same name is free. #}
{% macro _macros_of_the_gate(macros) %}
  {% set names = {} %}
  {% for macro in macros if not macro.name.startswith('test_') and macro.name not in context.dbt %}
    {% set room = macro.original_file_path.split('/')[1] %}
    {% if macro.name.startswith('_') or room in ['rules', 'output_port', 'audit', 'engines', 'records'] %}{% do names.update({macro.name: room}) %}{% endif %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}

{# The word, where it begins a statement: after another one, as the whole text of a block, or as what a function is to run. #}
{% macro _ends_a_transaction(code, text) %}
  {% set words = '(begin|start\\s+transaction|commit|rollback|abort)' %}
  {% if not modules.re.search('(?i)\\b' ~ words ~ '\\b', text) %}{{ return('') }}{% endif %}
  {% set in_code = modules.re.search('(?i)\\b(?:run_query|execute|add_query|query)\\s*\\(\\s*["\']\\s*' ~ words ~ '\\b', code) %}
  {% set sql = modules.re.sub("(?s)'(?:''|[^'])*'|\\{#.*?#\\}|--[^\\n]*|/\\*.*?\\*/", '', text) %}
  {% set in_sql = modules.re.search('(?i)(?:;\\s*' ~ words ~ '\\b(?:\\s+(?:work|transaction))?\\s*(?:;|\\{%|$)'
      ~ '|%\\}\\s*' ~ words ~ '\\b(?:\\s+(?:work|transaction))?\\s*;?\\s*\\{%[-+]?\\s*end(?:call|set)\\b)', sql) %}
  {{ return((in_code.group(1) if in_code else in_sql.group(1) or in_sql.group(2) if in_sql else '') | lower) }}
{% endmacro %}
