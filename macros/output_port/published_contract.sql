{# The contract of the published version: {columns: [{name, data_type}], key: [names]}. #}
{% macro published_contract(port, current) %}
  {% if current.contract %}{{ return(fromjson(current.contract)) }}{% endif %}
  {{ return({'columns': portmesh.portable_columns(portmesh.published_rows(port, current)), 'key': []}) }}
{% endmacro %}
