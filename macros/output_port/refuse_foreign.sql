{# Raises because another table or view, not created by Portmesh, already has the port's name. Portmesh never replaces
   it. #}
{% macro refuse_foreign(port, what) %}
  {% do exceptions.raise_dependency_error(
      port.label ~ ' was not written: another ' ~ what ~ ', not created by Portmesh, already has the name '
      ~ port.relation.schema ~ '.' ~ port.alias ~ '.\n\n'
      ~ '  next   rename or drop it, then: ' ~ portmesh.build_command(port.node)) %}
{% endmacro %}
