{# Runs SQL of checks on the engine. If it fails, the port fails with the engine's error, and explain_faults says which
   checks it came from. explain_faults does not run after an operation, so there this message replaces the error, which
   is in logs/dbt.log. #}
{% macro ask_about_checks(port, checks, ask, sql) %}
  {% do portmesh.begin_checks(checks, sql) %}
  {% if flags.WHICH == 'run-operation' %}
    {{ return(try_or_compiler_error(portmesh._broken_checks(port, checks), ask, sql)) }}
  {% endif %}
  {{ return(ask(sql)) }}
{% endmacro %}

{% macro _broken_checks(port, checks) %}
  {% set broken = portmesh.describe_broken_checks(port, checks) %}
  {{ return(port.label ~ ': ' ~ broken.what ~ ', so nothing changed for consumers.\n\n'
      ~ '  cause   the engine\'s error is in logs/dbt.log\n  next    ' ~ broken.remedy) }}
{% endmacro %}
