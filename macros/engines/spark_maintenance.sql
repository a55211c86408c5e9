{# Spark: what `portmesh clean` and `portmesh maintain` ask of Iceberg's own tables and procedures. #}

{% macro spark__metadata(relation, name) %}{{ return(relation ~ '.' ~ name) }}{% endmacro %}

{% macro spark__tables_in(schema) %}
  {% set names = [] %}
  {% for row in run_query('show tables in ' ~ schema).rows %}{% do names.append(row['tableName']) %}{% endfor %}
  {{ return(names) }}
{% endmacro %}
