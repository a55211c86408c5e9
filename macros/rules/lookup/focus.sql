{# What dbt was told to read with PORTMESH_FOCUS (src/dbt_portmesh/focus.py): the `domain`, and the names of all
   `others`; none if it reads the whole mesh. #}
{% macro focus() %}
  {% set config = builtins.ref.config %}
  {{ return(config.portmesh_focus if config.portmesh_focus is defined else none) }}
{% endmacro %}
