{# The select list of today's columns from a table of records, which may be of an earlier release: null for a column
   that it lacks. Only of `chosen` columns, if there are any. #}
{% macro todays_columns(name, relation, chosen=none) %}
  {% set names = portmesh.table_columns(relation) | map(attribute='name') | map('lower') | list %}
  {% set columns = [] %}
  {% for column, type in portmesh.record_columns()[name].items() if not chosen or column in chosen %}
    {% set value = column if column in names else 'null' %}
    {% do columns.append('cast(' ~ value ~ ' as ' ~ portmesh.engine_type(type) ~ ') as ' ~ column) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}
