{# For a domain that moves from Athena to Spark: its staging and intermediate models are views on Athena, and Glue's
   views are in Spark's way, which neither sees nor replaces them. dbt builds them again as tables. #}
{% macro drop_internal_views(domain) %}
  {% if target.type != 'athena' %}
    {% do exceptions.raise_dependency_error(
        'drop_internal_views drops views that Athena made, and runs on Athena.\n\n  got    --target ' ~ target.name
        ~ '\n  next   dbt run-operation drop_internal_views --target athena --args ' ~ "'{domain: " ~ domain ~ "}'") %}
  {% endif %}
  {% set schema = api.Relation.create(database=target.database, schema=environment_schema(domain ~ '__internal')) %}
  {% set views = adapter.list_relations_without_caching(schema) | selectattr('is_view') | list %}
  {% for view in views %}{% do adapter.drop_relation(view) %}{% endfor %}
  {% do log(views | length ~ ' views of ' ~ schema.schema ~ ' were dropped.', info=true) %}
{% endmacro %}
