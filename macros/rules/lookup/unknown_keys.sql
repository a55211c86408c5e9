{# One problem for each unknown key of a mapping, with the most similar known key. #}
{% macro unknown_keys(where, given, known) %}
  {% set problems = [] %}
  {% for key in given if key not in known %}
    {% set near = portmesh.nearest_name(key, known) %}
    {% do problems.append(where ~ ' has the unknown key ' ~ key
        ~ ('; did you mean ' ~ near ~ '?' if near else ' (known: ' ~ known | join(', ') ~ ')')) %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}
