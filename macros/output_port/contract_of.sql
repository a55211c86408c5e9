{# The contract as the records store it. `retire` reads its consumers and dates. #}
{% macro contract_of(port) %}
  {% set columns, consumers = [], [] %}
  {% for column in port.columns %}
    {% do columns.append({'name': column.name, 'data_type': column.data_type}) %}
  {% endfor %}
  {% for consumer in portmesh.consumers_of(port.node) %}
    {% do consumers.append({'name': consumer.name, 'until': (consumer.until or '') | string}) %}
  {% endfor %}
  {{ return({
      'columns': columns, 'key': portmesh.contract_key(port), 'unique_key': port.unique_key,
      'consumers': consumers, 'deprecation_date': portmesh.deprecated_on(port.node)}) }}
{% endmacro %}
