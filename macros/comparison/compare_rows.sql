{# Compares published tables with those that the environment built, for `portmesh diff --data`: one statement for each
   pair. Prints one line of JSON. `pairs` is [{port, published, built, key, hidden}]: `published` is a table of
   production and `built` one of this environment, both as `<domain>.<table>`; no value of a `hidden` column is read. #}
{% macro compare_rows(pairs, tolerance=0, examples=3) %}
  {% set found = [] %}
  {% for pair in (pairs if target.schema != 'prod' else []) %}
    {% do found.append(portmesh._compare_pair(pair, tolerance, examples)) %}
  {% endfor %}
  {% do print(tojson({'target': target.name, 'environment': target.schema, 'ports': found})) %}
{% endmacro %}

{% macro _compare_pair(pair, tolerance, examples) %}
  {% set was = portmesh._existing_relation(pair.published, true) %}
  {% set now = portmesh._existing_relation(pair.built, false) %}
  {% set found = {'port': pair.port, 'is_published': was is not none, 'is_built': now is not none} %}
  {% if was is none or now is none %}{{ return(found) }}{% endif %}
  {% set was_columns, now_columns = portmesh.portable_columns(was), portmesh.portable_columns(now) %}
  {% set columns = portmesh.pair_columns(was_columns, now_columns, pair.hidden) %}
  {% set key = portmesh._key_on_both_sides(pair.key, columns) %}
  {% set sql = portmesh.sql_by_key(was, now, columns, key, tolerance, examples) if key
      else portmesh.sql_by_row(was, now, columns, examples) %}
  {% set row = portmesh.query(sql).rows[0] if columns else none %}
  {{ return(dict(found, key=key, was_columns=was_columns, now_columns=now_columns, columns=columns,
      values=portmesh._plain(row))) }}
{% endmacro %}

{% macro _existing_relation(name, is_published) %}
  {% set domain, _, table = name.partition('.') %}
  {% set schema = domain if is_published else environment_schema(domain) %}
  {{ return(adapter.get_relation(database=target.get('database'), schema=schema, identifier=table)) }}
{% endmacro %}

{# The pairs of the key's columns; empty if one side lacks one of them. #}
{% macro _key_on_both_sides(key, columns) %}
  {% set found = [] %}
  {% for name in key %}
    {% for column in columns if column.name | lower == name | lower %}{% do found.append(column) %}{% endfor %}
  {% endfor %}
  {{ return(found if found | length == key | length else []) }}
{% endmacro %}

{# Numbers and texts that JSON can hold. #}
{% macro _plain(row) %}
  {% set values = [] %}
  {% for value in row or [] %}
    {% do values.append(value if value is string or value is none else value | int) %}
  {% endfor %}
  {{ return(values) }}
{% endmacro %}
