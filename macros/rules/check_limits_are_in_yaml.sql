{# PM120: what lets a check of a port fail less often stands where the check is, and so in the catalog. #}
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
        key ~ ': ' ~ value ~ ' of ' ~ portmesh._some_checks(mesh.ports[id], checks)
        ~ ' is not in the YAML of the port.',
        'Write it in the config of the check, where the catalog shows it, or take it out', where)) %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# {key: value} of what neither the YAML of the test nor dbt's default says. #}
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

{# dbt makes a call of config() from the YAML of a generic test: the last one in its code. #}
{% macro _keys_in_yaml(test) %}
  {% set code = portmesh.without_strings(portmesh.jinja_code(test.raw_code)) %}
  {% set keys = modules.re.findall('[(,]\\s*(\\w+)\\s*=(?!=)', code) %}
  {{ return(keys + (['store_failures'] if 'store_failures_as' in keys else [])) }}
{% endmacro %}

{# The file that sets it, or nothing where it may be set: a test that others wrote, and in any test of one's own how its
   failures are counted. The root decides whether failing rows are stored. #}
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
