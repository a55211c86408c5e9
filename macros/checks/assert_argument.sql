{% macro assert_argument(check, argument, value, is_allowed, allowed, fix) %}
  {% if not is_allowed %}
    {% set got = 'nothing' if value is none
        else (value | string if value.isoformat is defined else tojson(value, value | string))
        ~ ' (' ~ portmesh._kind_of(value) ~ ')' %}
    {% do exceptions.raise_dependency_error(
        'The check ' ~ check ~ ' cannot run: ' ~ argument ~ ' is ' ~ got ~ '.\n'
        ~ '  allowed   ' ~ allowed ~ '\n  next      ' ~ fix) %}
  {% endif %}
{% endmacro %}

{% macro _kind_of(value) %}
  {{- return('a text' if value is string else 'true or false' if value is boolean else 'a number' if value is number
      else 'a date' if value.isoformat is defined else 'a mapping' if value is mapping
      else 'a list' if value is sequence else 'a value') -}}
{% endmacro %}
