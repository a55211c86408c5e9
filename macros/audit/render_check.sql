{# {sql, arguments} of a check, with `relation` in place of the port: the SQL of its failing rows, exactly as dbt
   renders its test node (dbt.clients.jinja.add_rendered_test_kwargs), and the arguments as its macro gets them. dbt
   gives a macro the context of the calling node, which is the port here. So the test's own model, this, config and ref
   are put into the context while the test is rendered. #}
{% macro render_check(port, check, relation) %}
  {% set kept = portmesh._lend_context(port, check, relation) %}
  {% set arguments = portmesh._rendered_arguments(check.arguments, ['column_name', 'model']) %}
  {% do arguments.update({'model': portmesh._rendered_model(port, check, relation)}) %}
  {% do context.update({'_dbt_generic_test_kwargs': arguments}) %}
  {# Leaves out the config() call that dbt adds, from the YAML, after the call of the test's macro. #}
  {% set sql = render(check.code.split('}}')[0] ~ '}}') %}
  {% do portmesh._take_context_back(kept) %}
  {{ return({'sql': get_limit_subquery_sql(sql, check.limit), 'arguments': arguments}) }}
{% endmacro %}

{# Also adds the domain's macros, which an operation of the root would not have. #}
{% macro _lend_context(port, check, relation) %}
  {% set test, own, lent_config = check.test, config.model.config, portmesh.config_of_check(port, check) %}
  {% set kept = {'builtin_ref': context.builtins.ref, 'extra': dict(own.extra), 'meta': dict(own.meta)} %}
  {% for name in portmesh._lent_names() %}{% do kept.update({name: context.get(name)}) %}{% endfor %}
  {% for name, macro in context.get(port.product, {}).items() if name not in context %}
    {% do context.update({name: macro}) %}
  {% endfor %}
  {% do portmesh._replace_items(own.extra, test.config) %}
  {% do portmesh._replace_items(own.meta, test.config.get('meta') or {}) %}
  {% do context.update({
      'model': test, 'database': test.get('database'), 'schema': test.schema, 'ref': portmesh._ref_in_audit,
      'config': lent_config,
      'this': api.Relation.create(database=test.get('database'), schema=test.schema, identifier=test.alias),
      'portmesh_audited': {'port': port, 'relation': relation, 'test': test, 'ref': kept.builtin_ref}}) %}
  {% do context.builtins.update({'ref': portmesh._ref_in_audit}) %}
  {{ return(kept) }}
{% endmacro %}

{% macro _take_context_back(kept) %}
  {% for name in portmesh._lent_names() %}{% do context.update({name: kept[name]}) %}{% endfor %}
  {% do context.builtins.update({'ref': kept.builtin_ref}) %}
  {% do portmesh._replace_items(kept.config.model.config.extra, kept.extra) %}
  {% do portmesh._replace_items(kept.config.model.config.meta, kept.meta) %}
{% endmacro %}

{% macro _lent_names() %}{{ return(['model', 'this', 'database', 'schema', 'ref', 'config']) }}{% endmacro %}

{% macro _replace_items(mapping, items) %}{% do mapping.clear() %}{% do mapping.update(items) %}{% endmacro %}

{# The `ref` that a check uses: returns the audited relation for the port itself; without a version, a name means the
   latest one. Anything else goes to dbt's own ref. In an operation, which is a macro of the root, dbt's ref would
   refuse what the port's domain may read, so this resolves it as the domain would. #}
{% macro _ref_in_audit() %}
  {% set audited, version = context['portmesh_audited'], kwargs.get('v', kwargs.get('version')) %}
  {% set node, names, own = audited.port.node, varargs, audited.ref %}
  {% set is_port = names | last == node.name and (names | length == 1 or names[0] == audited.port.product) %}
  {% set is_version = (version or node.latest_version) | string == node.version | string %}
  {% if is_port and is_version %}{{ return(audited.relation) }}{% endif %}
  {% if own.model.resource_type == 'macro' %}
    {% set package = names[0] if names | length == 2 else none %}
    {% set read = own.manifest.resolve_ref(
        own.model, names[-1], package, version, project_name, audited.port.product) %}
    {% if read %}{{ return(own.create_relation(read)) }}{% endif %}
  {% endif %}
  {{ return(own(*names, **kwargs)) }}
{% endmacro %}

{# dbt writes the argument `model` itself. Its usual text is not compiled anew for each check. #}
{% macro _rendered_model(port, check, relation) %}
  {% set text = check.arguments.model %}
  {% if text == "{{ get_where_subquery(ref('" ~ port.node.name ~ "')) }}" and not port.node.version %}
    {{ return(get_where_subquery(relation)) }}
  {% endif %}
  {{ return(portmesh._rendered_argument(text)) }}
{% endmacro %}

{% macro _rendered_arguments(arguments, as_they_are) %}
  {% set rendered = {} %}
  {% for name, value in arguments.items() %}
    {% do rendered.update({name: value if name in as_they_are else portmesh._rendered_argument(value)}) %}
  {% endfor %}
  {{ return(rendered) }}
{% endmacro %}

{# Renders as dbt's native rendering does: a text that is a single expression becomes its value, any other text stays
   text. An expression of literals alone stays text too, because Jinja turns it into text when compiling. #}
{% macro _rendered_argument(value) %}
  {% if value is mapping %}{{ return(portmesh._rendered_arguments(value, [])) }}{% endif %}
  {% if value is sequence and value is not string %}
    {% set items = [] %}
    {% for item in value %}{% do items.append(portmesh._rendered_argument(item)) %}{% endfor %}
    {{ return(items) }}
  {% endif %}
  {% if value is not string %}{{ return(value) }}{% endif %}
  {% set is_call = modules.re.match('^\\s*(env_var|ref|var|source|doc)\\s*\\(.+\\)\\s*$', value) %}
  {% set text = '{{ ' ~ value ~ ' }}' if is_call else value %}
  {% set expression = modules.re.match('(?s)^\\{\\{-?((?:(?!\\}\\}).)*?)-?\\}\\}\\n?$', text) %}
  {% if not expression %}{{ return(render(text)) }}{% endif %}
  {% do context.update({'portmesh_slot': {}}) %}
  {% do render('{% do portmesh_slot.update({"value": (' ~ expression.group(1) ~ ')}) %}') %}
  {% set value = context['portmesh_slot'].value %}
  {{ return(value | string if portmesh._is_constant(expression.group(1)) else value) }}
{% endmacro %}

{% macro _is_constant(expression) %}
  {% set names = modules.re.sub('"[^"]*"|\'[^\']*\'|\\|\\s*\\w+', '', expression) | lower %}
  {{ return(not modules.re.search('(?!\\b(?:true|false|none|and|or|not|in|is|if|else)\\b)\\b[a-z_]', names)) }}
{% endmacro %}
