{# PM114 #}
{% macro port_meta_is_well_formed(mesh) %}
  {% set findings = [] %}
  {% for port in mesh.ports.values() %}
    {% set meta = portmesh.meta_of(port) %}
    {% set problems = portmesh._unknown_keys('config.meta', meta, ['version', 'classification', 'subject', 'freshness', 'consumers', 'exemptions', 'keep_versions', 'agreements', 'starts_from']) %}
    {% if meta.freshness is not none and meta.freshness is defined %}{% do problems.extend(portmesh._freshness_problems(port, meta.freshness)) %}{% endif %}
    {% if meta.subject is not none and meta.subject is defined %}{% do problems.extend(portmesh._subject_problems(port, meta.subject)) %}{% endif %}
    {% do problems.extend(portmesh._consumers_problems(meta.consumers or [])) %}
    {% do problems.extend(portmesh._agreements_problems(meta.agreements or [])) %}
    {% do problems.extend(portmesh._columns_declared_twice(mesh, port)) %}
    {% if meta.starts_from is not none and meta.starts_from is defined %}{% do problems.extend(portmesh._starts_from_problems(mesh, port, meta.starts_from)) %}{% endif %}
    {% if 'keep_versions' in meta and not (meta.keep_versions is integer and meta.keep_versions is not boolean and meta.keep_versions > 0) %}
      {% do problems.append('keep_versions is ' ~ meta.keep_versions ~ ', not a whole number above 0') %}
    {% endif %}
    {% for test in mesh.tests_of.get(port.unique_id, []) if test.config.meta %}{% do problems.extend(portmesh._check_meta_problems(test)) %}{% endfor %}
    {% for problem in problems %}
      {% do findings.append(portmesh.finding('PM114', port, portmesh.label_of(port) ~ ': ' ~ problem ~ '.', 'Write it as the page shows')) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _check_meta_problems(test) %}
  {% set problems = [] %}
  {% set meta = portmesh.meta_of(test) %}
  {% if meta.dimension and meta.dimension not in ['completeness', 'uniqueness', 'timeliness', 'accuracy'] %}
    {% do problems.append('the dimension of ' ~ test.name ~ ' is ' ~ meta.dimension ~ ', not completeness, uniqueness, timeliness or accuracy') %}
  {% endif %}
  {% if meta.get('row_wise') is not none and meta.row_wise is not boolean %}
    {% do problems.append('row_wise of ' ~ test.name ~ ' is ' ~ meta.row_wise ~ ', not true or false') %}
  {% endif %}
  {% set looks_at_all = ['unique', 'unique_combination', 'row_count_between', 'not_null_share', 'fresh_within'] %}
  {% if meta.get('row_wise') is true and test.test_metadata and test.test_metadata.name in looks_at_all %}
    {% do problems.append('row_wise of ' ~ test.name ~ ' is true, but ' ~ test.test_metadata.name ~ ' is about all rows together') %}
  {% endif %}
  {{ return(problems) }}
{% endmacro %}

{% macro _unknown_keys(where, given, known) %}
  {% set problems = [] %}
  {% for key in given if key not in known %}
    {% set near = portmesh.nearest_name(key, known) %}
    {% do problems.append(where ~ ' has ' ~ key ~ ', which nothing reads' ~ ('; did you mean ' ~ near ~ '?' if near else ' (known: ' ~ known | join(', ') ~ ')')) %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}

{% macro _freshness_problems(port, freshness) %}
  {% if freshness is not mapping %}{{ return(['freshness is ' ~ freshness ~ ', not a mapping of column, warn_after and error_after']) }}{% endif %}
  {% set problems = portmesh._unknown_keys('freshness', freshness, ['column', 'warn_after', 'error_after']) %}
  {% if freshness.column is not string or freshness.column not in port.columns %}
    {% do problems.append('freshness.column is ' ~ (freshness.column or 'missing') ~ ', which is no column of the contract') %}
  {% endif %}
  {% if not (freshness.warn_after or freshness.error_after) %}{% do problems.append('freshness has neither warn_after nor error_after') %}{% endif %}
  {% for level in ['warn_after', 'error_after'] if freshness[level] %}
    {% set limit = freshness[level] if freshness[level] is mapping else {} %}
    {% if not (portmesh.is_number(limit.count) and limit.count > 0 and limit.period in ['minute', 'hour', 'day']) %}
      {% do problems.append('freshness.' ~ level ~ ' is not like {count: 24, period: hour} (periods: minute, hour, day)') %}
    {% endif %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}

{% macro _starts_from_problems(mesh, port, starts_from) %}
  {% if not port.config.unique_key %}{{ return(['starts_from is for incremental ports (unique_key); any other has all rows from its model']) }}{% endif %}
  {% if starts_from | string in [port.alias, port.version | string] %}{{ return(['starts_from is the port itself']) }}{% endif %}
  {% set versions = [] %}
  {% for other in mesh.models if other.package_name == port.package_name and other.name == port.name %}{% do versions.append(other.version | string) %}{% endfor %}
  {% if starts_from | string in versions or (starts_from is string and '.' not in starts_from) %}{{ return([]) }}{% endif %}
  {{ return(['starts_from is ' ~ starts_from ~ ', which is no version of ' ~ port.name ~ ' and no name in ' ~ port.package_name]) }}
{% endmacro %}

{% macro _subject_problems(port, subject) %}
  {% if subject is not mapping %}{{ return(['subject is ' ~ subject ~ ', not a mapping of entity and key']) }}{% endif %}
  {% set problems = portmesh._unknown_keys('subject', subject, ['entity', 'key']) %}
  {% if not subject.entity %}{% do problems.append('subject.entity is missing') %}{% endif %}
  {% if subject.key is not string or subject.key not in port.columns %}
    {% do problems.append('subject.key is ' ~ (subject.key or 'missing') ~ ', which is no column of the contract') %}
  {% endif %}
  {{ return(problems) }}
{% endmacro %}

{% macro _consumers_problems(consumers) %}
  {% if consumers is mapping or consumers is string or consumers is not sequence %}
    {{ return(['consumers is not a list of {name, purpose, until}']) }}
  {% endif %}
  {% set problems = [] %}
  {% for consumer in consumers %}
    {% if consumer is not mapping %}
      {% do problems.append('the consumer ' ~ consumer ~ ' is not like {name: ' ~ consumer ~ ', purpose: ...}') %}
    {% else %}
      {% do problems.extend(portmesh._unknown_keys('the consumer ' ~ consumer.name, consumer, ['name', 'purpose', 'until'])) %}
      {% if consumer.until and not portmesh.is_date(consumer.until) %}
        {% do problems.append('until of ' ~ consumer.name ~ ' is ' ~ consumer.until ~ ', not a date like 2027-06-30') %}
      {% endif %}
    {% endif %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}

{% macro _agreements_problems(agreements) %}
  {% if agreements is mapping or agreements is string or agreements is not sequence %}
    {{ return(['agreements is not a list of {from, with, reason}']) }}
  {% endif %}
  {% set problems = [] %}
  {% for agreement in agreements %}
    {% set is_list = agreement is mapping and agreement.with is sequence and agreement.with is not string %}
    {% if not is_list or not agreement.from or not agreement.reason %}
      {% do problems.append('the agreement ' ~ agreement ~ ' is not like {from: 1.0.0, with: [<consumers>], reason: ...}') %}
    {% else %}
      {% do problems.extend(portmesh._unknown_keys('the agreement from ' ~ agreement.from, agreement, ['from', 'with', 'reason'])) %}
    {% endif %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}

{# dbt keeps the last of them, without the constraints of the others; only the YAML still has them all. #}
{% macro _columns_declared_twice(mesh, port) %}
  {% set problems = [] %}
  {% set file = mesh.files[port.patch_path].dict_from_yaml if port.patch_path in mesh.files else {} %}
  {% for entry in file.models or [] if entry.name == port.name %}
    {% set lists = [entry.columns or []] %}
    {% for version in entry.versions or [] if version.v | string == port.version | string %}{% do lists.append(version.columns or []) %}{% endfor %}
    {% for columns in lists %}
      {% set names = columns | selectattr('name', 'defined') | map(attribute='name') | map('string') | map('lower') | list %}
      {% for name in names | unique if names.count(name) > 1 %}
        {% do problems.append('the column ' ~ name ~ ' is declared ' ~ ('twice' if names.count(name) == 2 else names.count(name) ~ ' times')
            ~ ', and dbt keeps the last declaration only') %}
      {% endfor %}
    {% endfor %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}
