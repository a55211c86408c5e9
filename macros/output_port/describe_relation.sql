{# Describes a port that the records know, even if no model builds it any more: like describe_port, without the node. #}
{% macro describe_relation(reads_as) %}
  {%- set product, _, alias = reads_as.partition('.') -%}
  {{- return({
      'id': '', 'product': product, 'name': alias, 'label': reads_as, 'reads_as': reads_as, 'contract_version': none,
      'alias': alias, 'internal_schema': environment_schema(product ~ '__internal'),
      'relation': api.Relation.create(database=target.get('database'), schema=environment_schema(product),
          identifier=alias, type='view' if target.type == 'duckdb' else 'table'),
  }) -}}
{% endmacro %}
