{# A clone is a view on another environment's port. Production has none: consumers would read rows that were not audited
   there. Elsewhere it must not replace a published port, whose audited version would be lost, or be built from the port
   itself, because it would then read itself. #}
{% materialization clone, default %}
  {% if defer_relation and target.schema == 'prod' %}
    {% do exceptions.raise_dependency_error(
        portmesh.label_of(model) ~ ' was not cloned: production reads only its own tables.\n\n'
        ~ '  next   use your own environment: PORTMESH_ENVIRONMENT=dev_<you> dbt clone --state <production>') %}
  {% elif model.config.materialized == 'output_port' and defer_relation and flags.FULL_REFRESH %}
    {% set port = portmesh.describe_port(model) %}
    {% set is_itself = defer_relation.render() == port.relation.render() %}
    {% if is_itself or portmesh.read_history(port).versions %}
      {% do exceptions.raise_dependency_error(
          port.label ~ ' was not cloned: it is published here, and a clone would replace its audited version.\n\n'
          ~ '  next   leave out --full-refresh, or rebuild it: '
          ~ portmesh.build_command(port.node, '--full-refresh')) %}
    {% endif %}
  {% endif %}
  {{ return(dbt.materialization_clone_default()) }}
{% endmaterialization %}
