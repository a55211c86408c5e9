{# Athena: what `portmesh clean` and `portmesh maintain` ask of Iceberg's own tables, and of OPTIMIZE and VACUUM. #}

{% macro athena__metadata(relation, name) %}{{ return(portmesh.metadata_table(relation, name)) }}{% endmacro %}

{% macro athena__tables_in(schema) %}
  {% set names = [] %}
  {% for relation in adapter.list_relations_without_caching(api.Relation.create(database=target.database, schema=schema)) %}
    {% do names.append(relation.identifier) %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}
