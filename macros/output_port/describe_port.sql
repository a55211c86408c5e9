{# What stays the same of a port, whatever a run does with it. `reads_as` is the name that consumers know, within the
   environment: records, versions and increments go by it, not by dbt's node. #}
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
      'contract_path': 'domains/' ~ node.package_name ~ '/' ~ (node.patch_path or node.original_file_path).split('://') | last,
      'alias': node.alias,
      'relation': api.Relation.create(database=node.get('database'), schema=node.schema, identifier=node.alias,
          type='view' if target.type == 'duckdb' else 'table'),
      'internal_schema': environment_schema(node.package_name ~ '__internal'),
      'unique_key': [unique_key] if unique_key is string else unique_key,
      'columns': columns,
  }) -}}
{% endmacro %}

{# A port as the records know it, though no model may make it any more: what describe_port gives, without its node. #}
{% macro describe_relation(reads_as) %}
  {%- set product, _, alias = reads_as.partition('.') -%}
  {{- return({
      'id': '', 'product': product, 'name': alias, 'label': reads_as, 'reads_as': reads_as, 'contract_version': none, 'alias': alias,
      'relation': api.Relation.create(database=target.get('database'), schema=environment_schema(product), identifier=alias,
          type='view' if target.type == 'duckdb' else 'table'),
      'internal_schema': environment_schema(product ~ '__internal'),
  }) -}}
{% endmacro %}

{# `2027-06-30`, or empty. #}
{% macro deprecation_date(node) %}{{- return(((node.deprecation_date or '') | string)[:10]) -}}{% endmacro %}

{# A name for what this run writes of a port; is_version_of knows it again. A run that publishes the rows that a port starts from
   names the increment after them a second later. #}
{% macro new_version_name(port, current=none) %}
  {%- set at = run_started_at if not current or current.version[-6:] != invocation_id[:6] else run_started_at + modules.datetime.timedelta(seconds=1) -%}
  {{- return(port.alias ~ '__' ~ at.strftime('%Y%m%d_%H%M%S') ~ '_' ~ invocation_id[:6]) -}}
{% endmacro %}

{# Whether a table, branch or second name is a version of the port, or made beside one. #}
{% macro is_version_of(port, name) %}
  {{- return(modules.re.match('^' ~ modules.re.escape(port.alias) ~ '__\\d{8}_\\d{6}_[0-9a-f]{6}(__(replaced|result|increment|rows))?$', name) is not none) -}}
{% endmacro %}

{% macro version_relation(port, identifier, type='table') %}
  {{- return(api.Relation.create(
      database=port.relation.database, schema=port.internal_schema, identifier=identifier, type=type)) -}}
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
