{# A pre-hook of every model, seed and snapshot (dbt_project.yml). It fails the nodes of a run that stop_run could not
   end with a failing statement. #}
{% macro assert_run_goes_on() %}
  {% if execute and graph.get('portmesh_stopped') == invocation_id %}
    {% do exceptions.raise_dependency_error(
        portmesh.label_of(model) ~ ' was not built: the run was stopped at its start, for the reason shown there.') %}
  {% endif %}
  {{ return('') }}
{% endmacro %}
