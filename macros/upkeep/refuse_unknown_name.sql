{# Raises because no published relation without a model has this name. #}
{% macro refuse_unknown_name(name, what_to_do, unmade) %}
  {% set known = unmade | map(attribute='reads_as') | list %}
  {% do exceptions.raise_dependency_error(
      'There is no ' ~ name ~ ' to ' ~ what_to_do ~ '.' ~ portmesh.did_you_mean(name, known)
      ~ '\n\n  without a model   ' ~ (known | join(', ') or 'none: every published port has a model')) %}
{% endmacro %}
