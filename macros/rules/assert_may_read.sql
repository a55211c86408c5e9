{#
  Fails the current node when its domain may no longer read a port: dbt then skips everything downstream and builds the
  rest. The root sets it as a pre-hook of every model and snapshot, and the materialization of tests calls it. A port's
  check reads only what the port depends on, so the port's own pre-hook covers it.
#}
{% macro assert_may_read() %}
  {% if not execute %}{{ return('') }}{% endif %}
  {% for port in portmesh.ports_read(model, only_through_ephemeral=true) if port.package_name != model.package_name %}
    {% set last_day = portmesh.last_day_of_access(port, model.package_name) %}
    {% if last_day and last_day < portmesh.today_utc() %}
      {% do exceptions.raise_dependency_error(portmesh._access_text(port, last_day)) %}
    {% endif %}
  {% endfor %}
  {{ return('') }}
{% endmacro %}

{% macro _access_text(port, last_day) %}
  {% set domain, label = model.package_name, portmesh.label_of(port) %}
  {% set has_expired = last_day == portmesh.until_of(port, domain) %}
  {% set why = domain ~ "'s access to " ~ label ~ ' expired on ' ~ last_day if has_expired
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
