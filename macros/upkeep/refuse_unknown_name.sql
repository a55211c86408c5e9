{# Raises: of this name there is nothing that no model makes. #}
{% macro refuse_unknown_name(name, what_to_do, unmade) %}
  {% set known = unmade | map(attribute='reads_as') | list %}
  {% do exceptions.raise_dependency_error(
      'There is nothing of ' ~ name ~ ' to ' ~ what_to_do ~ '.' ~ portmesh.did_you_mean(name, known)
      ~ '\n\n  no model makes   ' ~ (known | join(', ') or 'none: all that is published has a model')) %}
{% endmacro %}
