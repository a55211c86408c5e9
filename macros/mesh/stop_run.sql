{#
  What a hook at the start of a run returns to end it before its first node: a statement that fails with the message.
  dbt then records every node as skipped, so that `dbt retry` builds them once the cause is fixed; an error raised here
  would leave no record, and the retry would find nothing to do. The other commands (compile, docs generate, source
  freshness, an operation) get the error itself.
#}
{% macro stop_run(message) %}
  {% if flags.WHICH not in ['build', 'run', 'test', 'seed', 'snapshot'] %}
    {% do exceptions.raise_dependency_error(message) %}
  {% endif %}
  {% for id in selected_resources if id.startswith(('exposure.', 'saved_query.')) %}
    {{ return(portmesh._stop_each_node(message)) }}
  {% endfor %}
  {{ return(portmesh.failing_statement(message)) }}
{% endmacro %}

{# dbt 1.11 cannot skip an exposure or a saved query after a failing hook ("object has no attribute
   'schema'"): there, each model, seed and snapshot that reads no other fails instead, which skips the rest. #}
{% macro _stop_each_node(message) %}
  {% do print('\n' ~ message) %}
  {% do graph.update({'portmesh_stopped': invocation_id}) %}
  {{ return('') }}
{% endmacro %}
