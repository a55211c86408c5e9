{# The `config` that a check's Jinja sees while it is rendered: the values of the test's own node. The object made here
   cannot be called. So if the test's macro calls config(), the port's own config stays in place, and render_check adds
   the test's other keys to it. Keys that a model's config already has are refused, because they are the port's. #}
{% macro config_of_check(port, check) %}
  {% set code = portmesh._code_of_test(check) | join('\n') %}
  {% if not modules.re.search('(?<![\\w.])config\\s*\\(', code) %}
    {{ return(namespace(
        get=portmesh._get_config, require=portmesh._require_config,
        meta_get=portmesh._get_meta, meta_require=portmesh._require_meta)) }}
  {% endif %}
  {% for name in modules.re.findall('config\\.(?:get|require)\\(\\s*[\'"]([\\w-]+)', code) %}
    {% if name in config.model.config and name not in config.model.config.extra and name != 'meta' %}
      {% do exceptions.raise_dependency_error(
          port.label ~ ' was not written: the macro of its check ' ~ check.name ~ ' calls config() and also reads '
          ~ name ~ ', and would get the port\'s value.\n\n'
          ~ '  next   remove config(…) from ' ~ check.macro
          ~ ', and set its values in the config of the check in ' ~ port.contract_path) %}
    {% endif %}
  {% endfor %}
  {{ return(config) }}
{% endmacro %}

{# The code of the test's macro and of all macros that it calls, except dbt's and the mesh's own. #}
{% macro _code_of_test(check) %}
  {% set ids, texts, macros = [check.macro], [], builtins.ref.manifest.macros %}
  {% for id in ids if id in macros and macros[id].package_name not in ['dbt', 'dbt_' ~ target.type, 'portmesh'] %}
    {% do texts.append(macros[id].macro_sql) %}
    {% for called in macros[id].depends_on.macros if called not in ids %}{% do ids.append(called) %}{% endfor %}
  {% endfor %}
  {{ return(texts) }}
{% endmacro %}

{# These macros do what dbt.context.providers.RuntimeConfigObject does. #}
{% macro _get_config(name, default=none, validator=none) %}
  {{ return(portmesh._value_in(context['portmesh_audited'].test.config, name, default, validator)) }}
{% endmacro %}

{% macro _get_meta(name, default=none, validator=none) %}
  {{ return(portmesh._value_in(context['portmesh_audited'].test.config.meta or {}, name, default, validator)) }}
{% endmacro %}

{% macro _require_config(name, validator=none) %}
  {{ return(portmesh._required_in(context['portmesh_audited'].test.config, name, validator)) }}
{% endmacro %}

{% macro _require_meta(name, validator=none) %}
  {{ return(portmesh._required_in(context['portmesh_audited'].test.config.meta or {}, name, validator)) }}
{% endmacro %}

{% macro _value_in(values, name, default, validator) %}
  {% if validator and default is not none %}{% do validator(values.get(name, default)) %}{% endif %}
  {{ return(values.get(name, default)) }}
{% endmacro %}

{% macro _required_in(values, name, validator) %}
  {% if name not in values %}
    {% set test = context['portmesh_audited'].test.unique_id %}
    {% do exceptions.raise_dependency_error(
        'The test ' ~ test ~ ' does not define the required config ' ~ name ~ '.') %}
  {% endif %}
  {% if validator %}{% do validator(values[name]) %}{% endif %}
  {{ return(values[name]) }}
{% endmacro %}
