{#
  PM122: all models and macros share one `graph`, one session and all macros, so a domain's Jinja could change what the
  audit sees. The rule reads only Jinja code, not SQL or comments.
#}
{% macro jinja_leaves_the_gate_alone(mesh) %}
  {% set findings = [] %}
  {% set macros = portmesh.macros_by_package() %}
  {% set of_gate = portmesh._macros_of_the_gate(macros[project_name]) %}
  {% for node, label, text in portmesh._texts_of_nodes(mesh, of_gate) + portmesh._texts_of_tests(mesh) %}
    {% do findings.extend(portmesh._findings_in_jinja(node, label, text, of_gate)) %}
  {% endfor %}
  {% for domain in mesh.domains %}
    {% for macro in macros.get(domain, []) %}
      {% set label = 'The macro ' ~ macro.name ~ ' of ' ~ domain %}
      {% do findings.extend(portmesh._findings_in_jinja(macro, label, macro.macro_sql, of_gate)) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# [node, label, text] of the few models, snapshots and so on whose text has a suspicious word. #}
{% macro _texts_of_nodes(mesh, of_gate) %}
  {% set found = [] %}
  {% set of_root = portmesh.hooks_in(portmesh.read_packages()[project_name]) %}
  {% set suspicious = portmesh._suspicious_words() %}
  {% for node in mesh.readers if node.package_name in mesh.domains and node.config and node.language != 'python' %}
    {% set texts = [node.raw_code] %}
    {% if node.config['pre-hook'] or node.config['post-hook'] or node.config.sql_header %}
      {% for kind, sql in portmesh.statements_beside(node, of_root) %}{% do texts.append(sql) %}{% endfor %}
    {% endif %}
    {% for text in texts if text %}
      {% set calls = modules.re.findall('(\\w+)\\s*\\(', text) %}
      {% if suspicious.search(text) or calls | select('in', of_gate) | first %}
        {% do found.append([node, portmesh.label_of(node), text]) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# The same for tests. In a generic test dbt renders the arguments. Two opening brackets are normal: its model argument
   is get_where_subquery(ref('...')). #}
{% macro _texts_of_tests(mesh) %}
  {% set found = [] %}
  {% set suspicious = portmesh._suspicious_words() %}
  {% for test in mesh.tests if test.package_name in mesh.domains %}
    {% set arguments = test.test_metadata.kwargs | string if test.test_metadata else '' %}
    {% if not test.test_metadata %}
      {% do found.append([test, portmesh.label_of(test), test.raw_code]) %}
    {% elif suspicious.search(arguments) or arguments.count('(') > 2 %}
      {% for text in portmesh.arguments_with_jinja(test.test_metadata.kwargs) %}
        {% do found.append([test, portmesh.label_of(test), text]) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro _suspicious_words() %}
  {{- return(modules.re.compile('(?i)graph|context|builtins|render|manifest|db_wrapper|load_dependencies|\\bnode\\b'
      ~ '|\\bconfig\\b(?!\\s*\\()|adapter|portmesh|ref\\b(?!\\s*\\()|modules|exceptions'
      ~ '|(?:source|metric|function)\\s*\\.|\\bdbt(?:_(?:duckdb|spark|athena))?\\b(?!\\s*\\.)'
      ~ '|' ~ portmesh._calls_that_change() ~ '|begin|transaction|commit|rollback|abort')) -}}
{% endmacro %}

{# Methods that change a list or a mapping. dbt shares its macros and functions in such mappings. #}
{% macro _calls_that_change() %}
  {{- return('\\.\\s*(?:update|clear|pop|popitem|setdefault|append|extend|insert|remove|reverse|sort)(?=\\s*\\()') -}}
{% endmacro %}

{% macro _findings_in_jinja(node, label, text, of_gate) %}
  {% set findings = [] %}
  {% set code = portmesh.jinja_code(text) if '{' in text else '' %}
  {% set names = portmesh._names_of_the_gate(code, of_gate) if code else [] %}
  {% if names %}
    {% do findings.append(portmesh.finding('PM122', node,
        label ~ ' uses ' ~ names | join(', ') ~ ', which could change how ports are audited.',
        "Use ref(), source(), config.get() and the mesh's macros in checks/, models/ and mesh/",
        portmesh.file_of(node))) %}
  {% endif %}
  {% set statement = portmesh.ends_a_transaction(code, text) %}
  {% if statement %}
    {% do findings.append(portmesh.finding('PM122', node,
        label ~ ' runs ' ~ statement ~ ', which would end the transaction of a publication.',
        'Remove it', portmesh.file_of(node))) %}
  {% endif %}
  {{ return(findings) }}
{% endmacro %}

{% macro _names_of_the_gate(code, of_gate) %}
  {% set bare = portmesh.without_strings(code) %}
  {% set hidden = 'manifest|flat_graph|db_wrapper|load_dependencies|context|node' %}
  {% set names = modules.re.findall(
      '(?<![\\w.])(?:graph|context|builtins|render(?=\\s*\\())\\b'
      ~ '|(?<![\\w.])adapter\\s*\\.\\s*(?:config|commit|clear_transaction)\\b'
      ~ '|(?<![\\w.])config\\s*\\.\\s*(?:model|context_config)\\b'
      ~ '|(?<![\\w.])(?:ref|source|metric|function)\\s*\\.\\s*(?:manifest|config|model|db_wrapper)\\b'
      ~ '|(?<![\\w.])(?:ref|config|adapter|modules|exceptions|portmesh|dbt(?:_(?:duckdb|spark|athena))?)\\b'
      ~ '(?!\\s*(?:[(.]|=(?!=)))|(?<![\\w.])modules\\s*\\.\\s*re\\b(?!\\s*\\.)'
      ~ '|(?:(?<![\\w.])(?:modules|exceptions|portmesh|dbt|dbt_\\w+|model|target|flags|api)'
      ~ '|(?<=\\.)(?:model|config|meta|columns|constraints))'
      ~ '(?:\\s*\\.\\s*\\w+|\\s*\\[[^\\]]*\\])*?\\s*' ~ portmesh._calls_that_change()
      ~ '|(?<=\\.)\\s*(?:' ~ hidden ~ ')\\b', bare) %}
  {% do names.extend(modules.re.findall('(?:\\[|\\battr\\s*\\()\\s*["\'](' ~ hidden ~ ')["\']', code)) %}
  {% set macros = '(?<![\\w.])(?:portmesh\\s*\\.\\s*)?(\\w+)\\s*\\(|(?<=portmesh\\.)(\\w+)' %}
  {% do names.extend(modules.re.findall(macros, bare) | map('join') | select('in', of_gate)) %}
  {{ return(names | map('trim') | unique | list) }}
{% endmacro %}

{# The mesh's private macros, and all macros in folders that domains may not use, except those named as dbt's own. #}
{% macro _macros_of_the_gate(macros) %}
  {% set names = {} %}
  {% for macro in macros if not macro.name.startswith('test_') and macro.name not in context.dbt %}
    {% set room = macro.original_file_path.split('/')[1] %}
    {% if macro.name.startswith('_') or room in ['rules', 'output_port', 'audit', 'engines', 'records', 'upkeep'] %}
      {% do names.update({macro.name: room}) %}
    {% endif %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}
