{# PM102 #}
{% macro product_is_owned(mesh) %}
  {% set findings = [] %}
  {% for domain, group in mesh.domains.items() %}
    {% set place = group or {'package_name': domain, 'original_file_path': 'models/' ~ domain ~ '.yml', 'config': {}} %}
    {% set problems = portmesh._product_problems(group) if group else ['no group named ' ~ domain] %}
    {% if problems %}
      {% do findings.append(portmesh.finding('PM102', place,
          'The product ' ~ domain ~ ' has ' ~ problems | join(', ') ~ '.',
          "Fill in its group's owner (name, email) and config.meta (channel, purpose, kind, stage, engine)")) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _product_problems(group) %}
  {% set meta = portmesh.meta_of(group) %}
  {% set problems = [] %}
  {% for key in ['name', 'email'] if not group.owner[key] %}{% do problems.append('no owner ' ~ key) %}{% endfor %}
  {% for key in ['channel', 'purpose', 'kind', 'stage', 'engine'] if not meta[key] %}
    {% do problems.append('no ' ~ key) %}
  {% endfor %}
  {% for key in ['kind', 'stage', 'engine', 'starts_on'] if meta[key] %}
    {% set allowed = portmesh.allowed_values(key) %}
    {% do problems.append('the ' ~ key ~ ' ' ~ meta[key] ~ ' (allowed: ' ~ allowed | join(', ') ~ ')')
        if meta[key] not in allowed %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}
