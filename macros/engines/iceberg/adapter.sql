{# What both adapters of the Glue catalog need: spark/adapter.sql and athena/adapter.sql point here. #}

{# A seed's values go as text, and the engine casts them, so that each arrives as it stands in the file.
   Athena takes no statement over 262,144 bytes, so a seed of more goes in parts. #}
{% macro iceberg__insert_seed(model, agate_table) %}
  {% set names, casts = [], [] %}
  {% for column in agate_table.column_names %}
    {% set type = model.config.column_types.get(column) or adapter.convert_type(agate_table, loop.index0) %}
    {% do names.append('c' ~ loop.index) %}
    {% do casts.append(portmesh.engine_macro('seed_value')('c' ~ loop.index, type)) %}
  {% endfor %}
  {% set rows, statements = [], [] %}
  {% for row in agate_table.rows %}
    {% set values = [] %}
    {% for value in row.values() %}
      {% do values.append('null' if value is none else portmesh.text_literal(value)) %}
    {% endfor %}
    {% do rows.append('(' ~ values | join(', ') ~ ')') %}
  {% endfor %}
  {% for part in portmesh.parts_of_statement(rows, rows) %}
    {% do statements.append(
        'insert into ' ~ this ~ ' select ' ~ casts | join(', ') ~ ' from (values\n' ~ part | join(',\n')
        ~ '\n) as seed (' ~ names | join(', ') ~ ')') %}
    {% do adapter.add_query(statements[-1], abridge_sql_log=true) %}
  {% endfor %}
  {{ return(statements[0]) }}
{% endmacro %}

{# Glue knows no SQL grants, and both adapters would fail on the statement. As on DuckDB, the model is built and its
   grants are not. #}
{% macro iceberg__pass_over_grants(relation, grant_config) %}
  {% if grant_config %}
    {% do exceptions.warn(
        relation.schema ~ '.' ~ relation.identifier ~ ' was built without its grants: Glue knows none in SQL.\n\n'
        ~ '  next   list its readers (config.meta.consumers): infra/ gives them their rights;'
        ~ ' then take `grants` away') %}
  {% endif %}
{% endmacro %}
