{#
  PM105, PM119: access that ends within 30 days or has ended. A date must not stop the whole run, so these are warnings;
  assert_may_read stops the nodes concerned. Each warning is a finding with `port`, `reader` and `last_day` added.
#}
{% macro access_that_ends(mesh) %}
  {% set soon = (run_started_at + modules.datetime.timedelta(days=30)).strftime('%Y-%m-%d') %}
  {% set warnings = [] %}
  {% for port in mesh.ports.values() %}
    {% for name in portmesh.consumers_of(port) | map(attribute='name') | select('string') | unique %}
      {% set last_day = portmesh.until_of(port, name) %}
      {% if last_day and last_day <= soon %}
        {% do warnings.append(portmesh._consumer_that_ends(port, name, last_day)) %}
      {% endif %}
    {% endfor %}
    {% set last_day = portmesh.deprecated_on(port) %}
    {% if last_day and last_day <= soon %}
      {% for domain, readers in portmesh._readers_by_domain(mesh, port).items() %}
        {% do warnings.append(portmesh._version_that_ends(port, domain, readers, last_day)) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(warnings) }}
{% endmacro %}

{% macro _consumer_that_ends(port, name, last_day) %}
  {% set label = portmesh.label_of(port) %}
  {% set is_over = last_day < portmesh.today_utc() %}
  {% set what = name ~ "'s access to " ~ label ~ (' expired on ' if is_over else ' ends after ') ~ last_day ~ '.' %}
  {% set remedy = ('Stop reading it, or agree' if not is_over else 'Remove the consumer, or agree')
      ~ ' on a new date with the owner (' ~ portmesh.owner_of(port) ~ ')' %}
  {{ return(portmesh._ending(portmesh.finding('PM105', port, what, remedy), port, name, last_day)) }}
{% endmacro %}

{% macro _version_that_ends(port, domain, readers, last_day) %}
  {% set label = portmesh.label_of(port) %}
  {% set what = readers | join(', ') ~ (' reads ' if readers | length == 1 else ' read ') ~ label ~ ', '
      ~ ('which was deprecated on ' if last_day < portmesh.today_utc() else 'which will be deprecated after ')
      ~ last_day ~ '.' %}
  {{ return(portmesh._ending(
      portmesh.finding('PM119', port, what, portmesh.what_to_read_instead(port)), port, domain, last_day)) }}
{% endmacro %}

{% macro _ending(finding, port, reader, last_day) %}
  {% do finding.update({'port': portmesh.label_of(port), 'reader': reader, 'last_day': last_day}) %}
  {{ return(finding) }}
{% endmacro %}

{# {domain or exposure: labels of its nodes that read the port directly}, including the port's own domain. #}
{% macro _readers_by_domain(mesh, port) %}
  {% set found = {} %}
  {% for reader in mesh.readers + mesh.exposures if port.unique_id in (reader.depends_on or {}).get('nodes', []) %}
    {% if reader.resource_type != 'unit_test' %}
      {% set name = reader.name if reader.resource_type == 'exposure' else reader.package_name %}
      {% do found.setdefault(name, []).append(portmesh.label_of(reader)) %}
    {% endif %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
