{# PM120: a setting that makes a port's check fail less often must be next to the check, where the catalog shows it. #}
{% macro check_limits_are_in_yaml(mesh) %}
  {% set places = {} %}
  {% set tests = portmesh.checks_with_config(mesh) + portmesh.disabled_tests() %}
  {% for test in tests if test.attached_node in mesh.ports and test.test_metadata %}
    {% for key, value in portmesh._limits_from_elsewhere(test).items() %}
      {% set where = portmesh._place_of_limit(mesh, test, key) %}
      {% set place = (test.attached_node, where, key, value | string) %}
      {% if where %}{% do places.setdefault(place, []).append(test.alias) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {% set findings = [] %}
  {% for (id, where, key, value), checks in places.items() %}
    {% do findings.append(portmesh.finding('PM120', mesh.ports[id],
        key ~ ': ' ~ value ~ ' is set for ' ~ portmesh._some_checks(mesh.ports[id], checks)
        ~ " outside the port's YAML.",
        'Write it in the config of the check, where the catalog shows it, or remove it', where)) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# {key: value} for each setting that comes neither from the test's YAML nor from dbt's defaults. #}
{% macro _limits_from_elsewhere(test) %}
  {% set said = test.config_call_dict or {} %}
  {% set written = portmesh._keys_in_yaml(test) if said else [] %}
  {% set found = {} %}
  {% for key, default in portmesh.default_limits().items() %}
    {% set value = test.config[key] %}
    {% set expected = said[key] if key in written and key in said else default %}
    {% if value | string | lower != expected | string | lower %}{% do found.update({key: value}) %}{% endif %}
  {% endfor %}
  {% set meta = portmesh.meta_of(test) %}
  {% for key in ['dimension', 'row_wise'] if key in meta and meta[key] != (said.meta or {}).get(key) %}
    {% do found.update({'meta.' ~ key: meta[key]}) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{# dbt turns the YAML of a generic test into a config() call, the last one in its code. #}
{% macro _keys_in_yaml(test) %}
  {% set code = portmesh.without_strings(portmesh.jinja_code(test.raw_code)) %}
  {% set keys = modules.re.findall('[(,]\\s*(\\w+)\\s*=(?!=)', code) %}
  {{ return(keys + (['store_failures'] if 'store_failures_as' in keys else [])) }}
{% endmacro %}

{# The file that sets the limit. Empty where it is allowed: in a third-party test, for fail_calc in a domain's own
   test, and for store_failures in the root. #}
{% macro _place_of_limit(mesh, test, key) %}
  {% if key in (test.config_call_dict or {}) and key not in portmesh._keys_in_yaml(test) %}
    {% set package = test.test_metadata.namespace or test.package_name %}
    {% set macros = portmesh.macros_by_package().get(package, []) if package in mesh.domains else [] %}
    {% for macro in macros if macro.name == 'test_' ~ test.test_metadata.name and key != 'fail_calc' %}
      {{ return(portmesh.file_of(macro)) }}
    {% endfor %}
    {{ return('') }}
  {% endif %}
  {% set project = portmesh.read_packages()[test.package_name] %}
  {% if portmesh.config_values(project.data_tests, key | replace('meta.', '')) %}
    {{ return(portmesh.file_of(test, 'dbt_project.yml')) }}
  {% endif %}
  {{ return('' if key == 'store_failures' else 'dbt_project.yml') }}
{% endmacro %}

{% macro _some_checks(port, checks) %}
  {%- set more = checks | length - 2 -%}
  {%- set noun = 'check ' if checks | length == 1 else 'checks ' -%}
  {{- return(portmesh.label_of(port) ~ "'s " ~ noun ~ checks[:2] | join(', ')
      ~ (' and ' ~ more ~ ' more' if more > 0)) -}}
{% endmacro %}
