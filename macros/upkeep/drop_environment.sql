{# Drops schemas of one environment with all that is in them. `portmesh env drop` chooses them. Raises if one of them is
   not of that environment, or if a view elsewhere reads from one. #}
{% macro drop_environment(name, schemas) %}
  {% set problems = [] %}
  {% if target.type != 'duckdb' %}
    {% do problems.append('this macro drops schemas of DuckDB; on ' ~ target.type ~ ': portmesh env drop ' ~ name) %}
  {% endif %}
  {% for schema in schemas if name == 'prod' or not schema.startswith(name ~ '__') %}
    {% do problems.append(schema ~ ' is not a schema of ' ~ name) %}
  {% endfor %}
  {% do problems.extend(portmesh._views_that_read(schemas) if not problems else []) %}
  {% if problems %}
    {% do exceptions.raise_dependency_error(
        'The environment ' ~ name ~ ' was not dropped.\n\n  why   ' ~ problems | join('\n        ')) %}
  {% endif %}
  {% for schema in schemas %}
    {% do adapter.drop_schema(api.Relation.create(database=target.get('database'), schema=schema)) %}
  {% endfor %}
  {{ adapter.commit() }}
{% endmacro %}

{# The views of other schemas whose SQL names one of these. #}
{% macro _views_that_read(schemas) %}
  {% set found = [] %}
  {% set query = 'select schema_name, view_name, sql from duckdb_views() where not internal order by 1, 2' %}
  {% for schema, view, sql in portmesh.query(query).rows if schema not in schemas %}
    {% for name in schemas if modules.re.search('(?i)\\b' ~ name ~ '"?\\.', sql) %}
      {% do found.append('the view ' ~ schema ~ '.' ~ view ~ ' reads from ' ~ name) %}
    {% endfor %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}
