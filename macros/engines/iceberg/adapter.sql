{# Fixes for both dbt-spark and dbt-athena. spark/adapter.sql and athena/adapter.sql use them. #}

{# Inserts a seed's values as text and lets the engine cast them, so that each value arrives unchanged. A large seed is
   inserted in parts, because Athena accepts at most 262,144 bytes in a statement. #}
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

{# Glue has no SQL grants, so both adapters would fail on the statement. As on DuckDB, the model is built without its
   grants. #}
{% macro iceberg__pass_over_grants(relation, grant_config) %}
  {% if grant_config %}
    {% do exceptions.warn(
        relation.schema ~ '.' ~ relation.identifier ~ ' was built without its grants: Glue has no SQL grants.\n\n'
        ~ '  next   list its readers in config.meta.consumers, from which infra/ grants them access;'
        ~ ' then remove `grants`') %}
  {% endif %}
{% endmacro %}
