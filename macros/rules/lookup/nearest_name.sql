{# The known name that shares the most pairs of letters with the given one; empty if none is similar enough. #}
{% macro nearest_name(name, known) %}
  {% set best = namespace(name='', score=0.45) %}
  {% set pairs = portmesh._letter_pairs(name) %}
  {% for candidate in known %}
    {% set theirs = portmesh._letter_pairs(candidate) %}
    {% set score = 2 * pairs | select('in', theirs) | list | length / (pairs | length + theirs | length) %}
    {% if score > best.score %}{% set best.name = candidate %}{% set best.score = score %}{% endif %}
  {% endfor %}
  {{ return(best.name) }}
{% endmacro %}

{% macro _letter_pairs(name) %}
  {% set text = ' ' ~ name | string | lower ~ ' ' %}
  {% set pairs = [] %}
  {% for i in range(text | length - 1) %}{% do pairs.append(text[i:i + 2]) %}{% endfor %}
  {{ return(pairs) }}
{% endmacro %}
