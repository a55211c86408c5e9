{# For a domain that moves from Athena to Spark. Its staging and intermediate models are views on Athena. Spark can
   neither see nor replace Glue views, so they must be dropped first; dbt then rebuilds them as tables. #}
{% macro drop_internal_views(domain) %}
  {% if target.type != 'athena' %}
    {% do exceptions.raise_dependency_error(
        'drop_internal_views runs only on Athena, because it drops Athena\'s views.\n\n  got    --target ' ~ target.name
        ~ '\n  next   dbt run-operation drop_internal_views --target athena --args ' ~ "'{domain: " ~ domain ~ "}'") %}
  {% endif %}
  {% set schema = api.Relation.create(database=target.database, schema=environment_schema(domain ~ '__internal')) %}
  {% set views = adapter.list_relations_without_caching(schema) | selectattr('is_view') | list %}
  {% for view in views %}{% do adapter.drop_relation(view) %}{% endfor %}
  {% do log('Dropped ' ~ views | length ~ ' views in ' ~ schema.schema ~ '.', info=true) %}
{% endmacro %}
