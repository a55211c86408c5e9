{# Whether the run reads only part of its input (--empty, --sample). #}
{% macro is_partial_run() %}
  {{ return(flags.EMPTY or invocation_args_dict.get('sample') is not none) }}
{% endmacro %}
