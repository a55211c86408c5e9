{# A problem for each key of a mapping that nothing reads, with the known one that is like it. #}
{% macro unknown_keys(where, given, known) %}
  {% set problems = [] %}
  {% for key in given if key not in known %}
    {% set near = portmesh.nearest_name(key, known) %}
    {% do problems.append(where ~ ' has ' ~ key ~ ', which nothing reads'
        ~ ('; did you mean ' ~ near ~ '?' if near else ' (known: ' ~ known | join(', ') ~ ')')) %}
  {% endfor %}
  {{ return(problems) }}
{% endmacro %}
