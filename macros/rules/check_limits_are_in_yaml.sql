{# PM120: what lets a check of a port fail less often is read where the check is, and in the catalog, or is not there. #}
{% macro check_limits_are_in_yaml(mesh) %}
  {% set places = {} %}
  {% for test in portmesh.checks_with_config(mesh) + portmesh.disabled_tests() if test.attached_node in mesh.ports and test.test_metadata %}
    {% for key, value in portmesh._limits_from_elsewhere(test).items() %}
      {% set where = portmesh._place_of_limit(mesh, test, key) %}
      {% if where %}{% do places.setdefault((test.attached_node, where, key, value | string), []).append(test.alias) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {% set findings = [] %}
  {% for (id, where, key, value), checks in places.items() %}
    {% do findings.append(portmesh.finding('PM120', mesh.ports[id],
        key ~ ': ' ~ value ~ ' of ' ~ portmesh._some_checks(mesh.ports[id], checks) ~ ' is not in the YAML of the port.',
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
  {% set keys = modules.re.findall('[(,]\\s*(\\w+)\\s*=(?!=)', portmesh.without_strings(portmesh.jinja_code(test.raw_code))) %}
  {{ return(keys + (['store_failures'] if 'store_failures_as' in keys else [])) }}
{% endmacro %}

{# The file that sets it, or nothing where it may be set: a test that others wrote, and in any test of one's own how its
   failures are counted. The root decides whether failing rows are stored. #}
{% macro _place_of_limit(mesh, test, key) %}
  {% if key in (test.config_call_dict or {}) and key not in portmesh._keys_in_yaml(test) %}
    {% for macro in portmesh.macros_by_package().get(test.test_metadata.namespace or test.package_name, []) if macro.name == 'test_' ~ test.test_metadata.name %}
      {% if macro.package_name in mesh.domains and key != 'fail_calc' %}{{ return(portmesh.file_of(macro)) }}{% endif %}
    {% endfor %}
    {{ return('') }}
  {% endif %}
  {% set in_project = portmesh.config_values(portmesh.read_packages()[test.package_name].data_tests, key | replace('meta.', '')) %}
  {% if in_project %}{{ return(portmesh.file_of(test, 'dbt_project.yml')) }}{% endif %}
  {{ return('' if key == 'store_failures' else 'dbt_project.yml') }}
{% endmacro %}

{% macro _some_checks(port, checks) %}
  {%- set more = checks | length - 2 -%}
  {{- return(portmesh.label_of(port) ~ "'s " ~ ('check ' if checks | length == 1 else 'checks ') ~ checks[:2] | join(', ')
      ~ (' and ' ~ more ~ ' more' if more > 0)) -}}
{% endmacro %}
