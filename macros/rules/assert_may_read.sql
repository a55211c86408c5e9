{#
  Stops one node when its domain may no longer read a port: dbt then skips what is downstream and builds the rest.
  The root gives it to every model and snapshot as a pre-hook, and the materialization of tests calls it.
#}
{% macro assert_may_read() %}
  {% if not execute %}{{ return('') }}{% endif %}
  {% for port in portmesh._ports_read_by(model) if port.package_name != model.package_name %}
    {% set last_day = portmesh.last_day_of_access(port, model.package_name) %}
    {% if last_day and last_day < portmesh.today_utc() %}
      {% do exceptions.raise_dependency_error(portmesh._access_text(port, last_day)) %}
    {% endif %}
  {% endfor %}
  {{ return('') }}
{% endmacro %}

{# An ephemeral model is part of what selects from it. A check reads nothing that its port does not depend on. #}
{% macro _ports_read_by(node) %}
  {% set ports, ahead, seen = [], node.depends_on.nodes | list, [] %}
  {% for _ in range(graph.nodes | length) if ahead %}
    {% set read = graph.nodes.get(ahead.pop()) %}
    {% if read and read.unique_id not in seen and read.resource_type == 'model' %}
      {% do seen.append(read.unique_id) %}
      {% if portmesh.is_port(read) %}
        {% do ports.append(read) %}
      {% elif read.config.materialized == 'ephemeral' %}
        {% do ahead.extend(read.depends_on.nodes) %}
      {% endif %}
    {% endif %}
  {% endfor %}
  {{ return(ports) }}
{% endmacro %}

{% macro _access_text(port, last_day) %}
  {% set domain, label = model.package_name, portmesh.label_of(port) %}
  {% set has_expired = last_day == portmesh.until_of(port, domain) %}
  {% set why = 'the access of ' ~ domain ~ ' to ' ~ label ~ ' expired on ' ~ last_day if has_expired
      else label ~ ' was deprecated on ' ~ last_day %}
  {% set fix = 'agree on a new date with its owner (' ~ portmesh.owner_of(port) ~ '), or stop reading it'
      if has_expired else portmesh.what_to_read_instead(port) %}
  {{- return(
      portmesh.label_of(model) ~ ' was not ' ~ ('tested' if model.resource_type == 'test' else 'built') ~ ': ' ~ why
      ~ '.\n\n'
      ~ '  listed in   ' ~ portmesh.yaml_of(port) ~ '\n'
      ~ '  next        ' ~ fix ~ '\n'
      ~ '  the rule    docs/rules/' ~ ('PM105' if has_expired else 'PM119') ~ '.md') -}}
{% endmacro %}
