{# Whether this command runs what a hook at its start returns. dbt only compiles the hooks where it does not. #}
{% macro runs_hooks() %}
  {{- return(flags.WHICH not in ['compile', 'generate', 'run-operation']) -}}
{% endmacro %}
