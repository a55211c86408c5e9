{# Whether this command runs the SQL that its start hooks return. Other commands only compile the hooks. #}
{% macro runs_hooks() %}
  {{- return(flags.WHICH not in ['compile', 'generate', 'run-operation']) -}}
{% endmacro %}
