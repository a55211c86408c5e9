{% macro assert_some_argument(check, arguments) %}
  {% if arguments.values() | reject('none') | list | length == 0 %}
    {% do exceptions.raise_dependency_error(
        'The check ' ~ check ~ ' cannot run: it has no limit.\n'
        ~ '  allowed   ' ~ arguments.keys() | join(', ') ~ ', or both\n  next      set at least one of them') %}
  {% endif %}
{% endmacro %}
