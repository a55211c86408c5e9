{#
  For a hook at the start of a run, to end the run before its first node: returns a statement that fails with the
  message. dbt then records every node as skipped, so that `dbt retry` builds them once the cause is fixed. If the hook
  raised an error instead, nothing would be recorded and a retry would find nothing to do. Other commands (compile, docs
  generate, source freshness, operations) do get the error.
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

{# dbt 1.11 cannot skip an exposure or a saved query after a failing hook ("object has no attribute 'schema'"). If the
   selection has one, the first models, seeds and snapshots fail instead (assert_run_goes_on), and dbt skips the rest.
   #}
{% macro _stop_each_node(message) %}
  {% do print('\n' ~ message) %}
  {% do graph.update({'portmesh_stopped': invocation_id}) %}
  {{ return('') }}
{% endmacro %}
