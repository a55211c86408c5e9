{# The facts about a port that do not change during a run. `reads_as` is the name that consumers use within the
   environment; records, versions and increments are kept under this name, not under dbt's node. #}
{% macro describe_port(node) %}
  {%- set name = node.name ~ ('.v' ~ node.version if node.version else '') -%}
  {%- set unique_key = node.config.unique_key or [] -%}
  {%- set columns = [] -%}
  {%- for column in node.columns.values() -%}
    {%- do columns.append(dict(column, data_type=(column.data_type or '') | lower | replace(' ', ''))) -%}
  {%- endfor -%}
  {{- return({
      'id': node.unique_id,
      'node': node,
      'product': node.package_name,
      'name': name,
      'label': node.package_name ~ '.' ~ name,
      'reads_as': node.package_name ~ '.' ~ node.alias,
      'contract_version': (node.config.meta or {}).get('version') | string,
      'contract_path': portmesh.yaml_of(node),
      'alias': node.alias,
      'relation': api.Relation.create(database=node.get('database'), schema=node.schema, identifier=node.alias,
          type='view' if target.type == 'duckdb' else 'table'),
      'internal_schema': environment_schema(node.package_name ~ '__internal'),
      'unique_key': [unique_key] if unique_key is string else unique_key,
      'columns': columns,
  }) -}}
{% endmacro %}
