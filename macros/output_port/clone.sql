{# A clone is a view on another environment's port. It must not replace a published port, whose audited version would be
   lost, or be built from the port itself, because it would then read itself. #}
{% materialization clone, default %}
  {% if model.config.materialized == 'output_port' and defer_relation %}
    {% set port = portmesh.describe_port(model) %}
    {% set is_itself = defer_relation.render() == port.relation.render() %}
    {% set is_published = portmesh.read_history(port).versions %}
    {% if flags.FULL_REFRESH and (is_itself or is_published) %}
      {% do exceptions.raise_dependency_error(
          port.label ~ ' was not cloned: it is published here, and a clone would replace its audited version.\n\n'
          ~ '  to clone     use your own environment:'
          ~ ' PORTMESH_ENVIRONMENT=dev_<you> dbt clone --state <production>\n'
          ~ '  to rebuild   ' ~ portmesh.build_command(port.node, '--full-refresh')) %}
    {% endif %}
  {% endif %}
  {{ return(dbt.materialization_clone_default()) }}
{% endmaterialization %}
