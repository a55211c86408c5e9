{# Whether dbt has read only the contract of a port, which belongs to another domain than the focus. #}
{% macro is_stub(port) %}
  {% set focus = portmesh.focus() %}
  {{ return(focus is not none and port.package_name in focus.others) }}
{% endmacro %}
