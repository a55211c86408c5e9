{# {schema.table: model, seed or snapshot} for everything that dbt builds. #}
{% macro tables_by_name() %}
  {% set tables = {} %}
  {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'snapshot'] %}
    {% do tables.update({(node.schema ~ '.' ~ node.alias) | lower: node.resource_type}) %}
  {% endfor %}
  {{ return(tables) }}
{% endmacro %}
