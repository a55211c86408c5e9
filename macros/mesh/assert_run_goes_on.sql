{# A pre-hook of every model, seed and snapshot (dbt_project.yml), for a run that stop_run could not end by a
   statement. #}
{% macro assert_run_goes_on() %}
  {% if execute and graph.get('portmesh_stopped') == invocation_id %}
    {% do exceptions.raise_dependency_error(
        portmesh.label_of(model) ~ ' was not built: the run was stopped at its start, and says there why.') %}
  {% endif %}
  {{ return('') }}
{% endmacro %}
