{# The SQL of a check's failing rows, exactly as dbt renders its test node (dbt.clients.jinja.add_rendered_test_kwargs), with
   `relation` in the port's place. dbt gives a macro the context of the node that calls it, which is the port here; so the
   test's own model, this, config and ref are lent to the context while its text is rendered. #}
{% macro render_check(port, check, relation) %}
  {% set lent = portmesh._lend_context(port, check, relation) %}
  {% do context.update({'_dbt_generic_test_kwargs': portmesh._rendered_arguments(check.arguments)}) %}
  {# Without the call of config() that dbt writes after that of the test's macro, from its YAML. #}
  {% set sql = render(check.code.split('}}')[0] ~ '}}') %}
  {% do portmesh._take_context_back(lent) %}
  {{ return(get_limit_subquery_sql(sql, check.limit)) }}
{% endmacro %}

{# In an operation, which is a macro of the root, the domain's macros are lent, too. #}
{% macro _lend_context(port, check, relation) %}
  {% set test, own, lent_config = check.test, config.model.config, portmesh.config_of_check(port, check) %}
  {% set kept = {'builtin_ref': context.builtins.ref, 'extra': dict(own.extra), 'meta': dict(own.meta)} %}
  {% for name in ['model', 'this', 'database', 'schema', 'ref', 'config'] %}{% do kept.update({name: context.get(name)}) %}{% endfor %}
  {% for name, macro in context.get(port.product, {}).items() if name not in context %}{% do context.update({name: macro}) %}{% endfor %}
  {% do portmesh._replace_items(own.extra, test.config) %}
  {% do portmesh._replace_items(own.meta, test.config.get('meta') or {}) %}
  {% do context.update({
      'model': test, 'database': test.get('database'), 'schema': test.schema, 'ref': portmesh.ref_in_audit,
      'config': lent_config,
      'this': api.Relation.create(database=test.get('database'), schema=test.schema, identifier=test.alias),
      'portmesh_audited': {'port': port, 'relation': relation, 'test': test, 'ref': kept.builtin_ref}}) %}
  {% do context.builtins.update({'ref': portmesh.ref_in_audit}) %}
  {{ return(kept) }}
{% endmacro %}

{% macro _take_context_back(kept) %}
  {% for name in ['model', 'this', 'database', 'schema', 'ref', 'config'] %}{% do context.update({name: kept[name]}) %}{% endfor %}
  {% do context.builtins.update({'ref': kept.builtin_ref}) %}
  {% do portmesh._replace_items(kept.config.model.config.extra, kept.extra) %}
  {% do portmesh._replace_items(kept.config.model.config.meta, kept.meta) %}
{% endmacro %}

{% macro _replace_items(mapping, items) %}{% do mapping.clear() %}{% do mapping.update(items) %}{% endmacro %}

{# `ref` of a check: the audited relation for the port itself, whose latest version a name without one means; else dbt's own. #}
{% macro ref_in_audit() %}
  {% set audited, version = context['portmesh_audited'], kwargs.get('v', kwargs.get('version')) %}
  {% set port, names = audited.port, varargs %}
  {% set is_port = names | last == port.node.name and (names | length == 1 or names[0] == port.product) %}
  {% if is_port and (version or port.node.latest_version) | string == port.node.version | string %}{{ return(audited.relation) }}{% endif %}
  {{ return(audited.ref(*varargs, **kwargs)) }}
{% endmacro %}

{% macro _rendered_arguments(arguments) %}
  {% set rendered = {} %}
  {% for name, value in arguments.items() %}
    {% do rendered.update({name: value if name == 'column_name' else portmesh._rendered_argument(value)}) %}
  {% endfor %}
  {{ return(rendered) }}
{% endmacro %}

{# As dbt's native rendering: a text that is one expression becomes its value, any other text stays one. Of an expression of
   literals alone Jinja makes a text when it compiles it. #}
{% macro _rendered_argument(value) %}
  {% if value is mapping %}{{ return(portmesh._rendered_arguments_at_depth(value)) }}{% endif %}
  {% if value is sequence and value is not string %}
    {% set items = [] %}
    {% for item in value %}{% do items.append(portmesh._rendered_argument(item)) %}{% endfor %}
    {{ return(items) }}
  {% endif %}
  {% if value is not string %}{{ return(value) }}{% endif %}
  {% set text = '{{ ' ~ value ~ ' }}' if modules.re.match('^\\s*(env_var|ref|var|source|doc)\\s*\\(.+\\)\\s*$', value) else value %}
  {% set expression = modules.re.match('(?s)^\\{\\{-?((?:(?!\\}\\}).)*?)-?\\}\\}\\n?$', text) %}
  {% if not expression %}{{ return(render(text)) }}{% endif %}
  {% do context.update({'portmesh_slot': {}}) %}
  {% do render('{% do portmesh_slot.update({"value": (' ~ expression.group(1) ~ ')}) %}') %}
  {% set value, names = context['portmesh_slot'].value, modules.re.sub('"[^"]*"|\'[^\']*\'|\\|\\s*\\w+', '', expression.group(1)) %}
  {% set is_constant = not modules.re.search('(?!\\b(?:true|false|none|and|or|not|in|is|if|else)\\b)\\b[a-z_]', names, modules.re.IGNORECASE) %}
  {{ return(value | string if is_constant else value) }}
{% endmacro %}

{% macro _rendered_arguments_at_depth(value) %}
  {% set rendered = {} %}
  {% for name, item in value.items() %}{% do rendered.update({name: portmesh._rendered_argument(item)}) %}{% endfor %}
  {{ return(rendered) }}
{% endmacro %}
