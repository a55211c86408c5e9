{% macro describe_port(node) %}
  {%- set name = node.name ~ ('.v' ~ node.version if node.version else '') -%}
  {%- set version = node.alias ~ '__' ~ run_started_at.strftime('%Y%m%d_%H%M%S') ~ '_' ~ invocation_id[:6] -%}
  {%- set unique_key = node.config.unique_key or [] -%}
  {%- set port = {
      'id': node.unique_id,
      'node': node,
      'product': node.package_name,
      'name': name,
      'label': node.package_name ~ '.' ~ name,
      'contract_version': (node.config.meta or {}).get('version') | string,
      'contract_path': 'domains/' ~ node.package_name ~ '/' ~ (node.patch_path or node.original_file_path).split('://') | last,
      'alias': node.alias,
      'relation': api.Relation.create(database=node.get('database'), schema=node.schema, identifier=node.alias,
          type='view' if target.type == 'duckdb' else 'table'),
      'internal_schema': environment_schema(node.package_name ~ '__internal'),
      'version': version,
      'unique_key': [unique_key] if unique_key is string else unique_key,
      'columns': node.columns.values() | list,
  } -%}
  {%- do port.update({'quoted_key': portmesh.quoted_names(port.unique_key)}) -%}
  {{- return(port) -}}
{% endmacro %}

{% macro version_relation(port, identifier) %}
  {{- return(api.Relation.create(
      database=port.relation.database, schema=port.internal_schema, identifier=identifier, type='table')) -}}
{% endmacro %}

{# Names as a check's SQL has them: quoted where the contract says `quote: true`. #}
{% macro columns_in_sql(port, names) %}
  {%- set texts = [] -%}
  {%- for name in names -%}
    {%- do texts.append(adapter.quote(name) if port.node.columns.get(name, {}).get('quote') else name) -%}
  {%- endfor -%}
  {{- return(texts) -}}
{% endmacro %}

{% macro column_list(port) %}
  {{- return(portmesh.quoted_names(port.columns | map(attribute='name')) | join(', ')) -}}
{% endmacro %}

{% macro quoted_names(names) %}
  {%- set quoted = [] -%}
  {%- for name in names -%}{%- do quoted.append(adapter.quote(name)) -%}{%- endfor -%}
  {{- return(quoted) -}}
{% endmacro %}
