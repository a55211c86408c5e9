{# PM114 #}
{% macro port_meta_is_well_formed(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() %}
    {% set problems = portmesh._meta_problems(mesh, port) + portmesh._columns_declared_twice(mesh, port) %}
    {% for test in mesh.tests_of.get(port.unique_id, []) if test.config.meta %}
      {% do problems.extend(portmesh._check_meta_problems(test)) %}
    {% endfor %}
    {% for problem in problems %}
      {% set what = portmesh.label_of(port) ~ ': ' ~ problem ~ '.' %}
      {% do findings.append(portmesh.finding('PM114', port, what, 'Write it as this page shows')) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _meta_problems(mesh, port) %}
  {% set meta = portmesh.meta_of(port) %}
  {% set problems = portmesh.unknown_keys('config.meta', meta, portmesh.known_keys('port'))
      + portmesh.unknown_keys_of_columns(port, 'column') + portmesh.problems_in_lists(meta) %}
  {% for key, find_problems in {
      'freshness': portmesh._freshness_problems, 'subject': portmesh._subject_problems,
      'starts_from': portmesh._starts_from_problems,
  }.items() if meta[key] is defined and meta[key] is not none %}
    {% do problems.extend(find_problems(mesh, port, meta[key])) %}
  {% endfor %}
  {% set keep = meta.get('keep_versions', 2) %}
  {% if keep is not integer or keep is boolean or keep <= 0 %}
    {% do problems.append('keep_versions is ' ~ keep ~ ', not a whole number above 0') %}
  {% endif %}
  {{ return(problems) }}
{% endmacro %}

{% macro _freshness_problems(mesh, port, freshness) %}
  {% if freshness is not mapping %}
    {{ return(['freshness is ' ~ freshness ~ ', not a mapping with column, warn_after and error_after']) }}
  {% endif %}
  {% set problems = [] %}
  {% if freshness.column is not string or freshness.column not in port.columns %}
    {% set column = freshness.column or 'missing' %}
    {% do problems.append('freshness.column is ' ~ column ~ '; it must be a column of the contract') %}
  {% endif %}
  {% if not (freshness.warn_after or freshness.error_after) %}
    {% do problems.append('freshness has neither warn_after nor error_after') %}
  {% endif %}
  {% for level in ['warn_after', 'error_after'] if freshness[level] %}
    {% set limit = freshness[level] if freshness[level] is mapping else {} %}
    {% set is_known = limit.period in portmesh.allowed_values('period') %}
    {% if not (is_known and portmesh.is_number(limit.count) and limit.count > 0) %}
      {% do problems.append('freshness.' ~ level
          ~ ' does not look like {count: 24, period: hour} (periods: minute, hour, day)') %}
    {% endif %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}

{% macro _subject_problems(mesh, port, subject) %}
  {% if subject is not mapping %}
    {{ return(['subject is ' ~ subject ~ ', not a mapping with entity and key']) }}
  {% endif %}
  {% set problems = [] %}
  {% if not subject.entity %}{% do problems.append('subject.entity is missing') %}{% endif %}
  {% if subject.key is not string or subject.key not in port.columns %}
    {% do problems.append('subject.key is ' ~ (subject.key or 'missing') ~ '; it must be a column of the contract') %}
  {% endif %}
  {{ return(problems) }}
{% endmacro %}

{% macro _starts_from_problems(mesh, port, given) %}
  {% if not port.config.unique_key %}
    {{ return(['starts_from is only for incremental ports (with unique_key); others get all rows from their model']) }}
  {% endif %}
  {% set is_itself = given | string in [port.alias, port.version | string] %}
  {% if is_itself %}{{ return(['starts_from names the port itself']) }}{% endif %}
  {% if given is string and '.' not in given %}{{ return([]) }}{% endif %}
  {% for other in mesh.models if other.package_name == port.package_name and other.name == port.name %}
    {% if other.version | string == given | string %}{{ return([]) }}{% endif %}
  {% endfor %}
  {{ return(['starts_from is ' ~ given ~ ', which is neither a version of ' ~ port.name ~ ' nor a table name in '
      ~ port.package_name]) }}
{% endmacro %}

{% macro _check_meta_problems(test) %}
  {% set meta, known = portmesh.meta_of(test), portmesh.known_keys('check') %}
  {% set problems = portmesh.unknown_keys('config.meta of the check ' ~ test.name, meta, known, true) %}
  {% if meta.dimension and meta.dimension not in portmesh.allowed_values('dimension') %}
    {% do problems.append('the dimension of ' ~ test.name ~ ' is ' ~ meta.dimension
        ~ ', not completeness, uniqueness, timeliness or accuracy') %}
  {% endif %}
  {% set row_wise, kind = meta.get('row_wise'), test.test_metadata.name if test.test_metadata else '' %}
  {% if row_wise is not none and row_wise is not boolean %}
    {% do problems.append('row_wise of ' ~ test.name ~ ' is ' ~ row_wise ~ ', not true or false') %}
  {% elif row_wise and kind in [
      'unique', 'unique_combination', 'row_count_between', 'not_null_share', 'fresh_within'] %}
    {% do problems.append('row_wise of ' ~ test.name ~ ' is true, but ' ~ kind ~ ' looks at all rows together') %}
  {% endif %}
  {{ return(problems) }}
{% endmacro %}

{# dbt keeps only the last declaration and drops the constraints of the others, so this reads the YAML itself. #}
{% macro _columns_declared_twice(mesh, port) %}
  {% set problems, lists = [], [] %}
  {% set file = mesh.files[port.patch_path].dict_from_yaml if port.patch_path in mesh.files else {} %}
  {% for entry in file.models or [] if entry.name == port.name %}
    {% do lists.append(entry.columns or []) %}
    {% for version in entry.versions or [] if version.v | string == port.version | string %}
      {% do lists.append(version.columns or []) %}
    {% endfor %}
  {% endfor %}
  {% for columns in lists %}
    {% set names = columns | selectattr('name', 'defined') | map(attribute='name') %}
    {% set names = names | map('string') | map('lower') | list %}
    {% for name in names | unique if names.count(name) > 1 %}
      {% set times = 'twice' if names.count(name) == 2 else names.count(name) ~ ' times' %}
      {% do problems.append('the column ' ~ name ~ ' is declared ' ~ times
          ~ '; dbt keeps only the last declaration') %}
    {% endfor %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}
