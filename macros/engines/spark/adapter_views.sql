{# Iceberg's Glue catalog has no views (https://github.com/apache/iceberg/issues/11440), so a view is stored as a table
   with its rows, which also keeps its SQL. #}
{% materialization view, adapter='spark' %}
  {% do portmesh._views_of_now().append(model.unique_id) %}
  {{ return(dbt.materialization_table_spark()) }}
{% endmaterialization %}

{% macro spark__tblproperties_clause() %}
  {%- set sql = compiled_code if model.config.materialized == 'view' else '' -%}
  {{- return(portmesh._properties_clause(dict(config.get('tblproperties') or {}, **portmesh._view_property(sql)))) -}}
{% endmacro %}

{# Empty for a table that is not a view: if it was a view before, `create or replace` would otherwise keep the view's
   SQL. The SQL is in hexadecimal, because Spark hides a property that contains a word such as `token` or `url`. #}
{% macro _view_property(sql) %}{{ return({'portmesh.view': sql.encode('utf-8').hex()}) }}{% endmacro %}

{% macro _properties_clause(properties) %}
  {%- set texts = [] -%}
  {%- for name, value in properties.items() -%}
    {%- do texts.append(portmesh.text_literal(name) ~ ' = ' ~ portmesh.text_literal(value)) -%}
  {%- endfor -%}
  {{- return('tblproperties (' ~ texts | join(', ') ~ ')') -}}
{% endmacro %}

{# The ids of the views whose rows this run has already stored. #}
{% macro _views_of_now() %}
  {{ return(graph.setdefault('portmesh_views', {}).setdefault(invocation_id, [])) }}
{% endmacro %}

{# Stores current rows, as a view on another engine would return, for each view that the node reads and this run has not
   built. #}
{% macro spark__refresh_views(node) %}
  {% if execute %}{% do portmesh._refresh_views_before(node, node) %}{% endif %}
  {{ return('') }}
{% endmacro %}

{% macro _refresh_views_before(node, reader) %}
  {% for id in node.depends_on.nodes if id in graph.nodes and id not in portmesh._views_of_now() %}
    {% set other = graph.nodes[id] %}
    {% if other.config.materialized in ['view', 'ephemeral'] %}
      {% do portmesh._refresh_views_before(other, reader) %}
    {% endif %}
    {% if other.config.materialized == 'view' %}
      {% do portmesh.begin_view(other.name) %}
      {% do portmesh._store_view_again(other, reader) %}
      {% do portmesh.begin_view(none) %}
      {% do portmesh._views_of_now().append(id) %}
    {% endif %}
  {% endfor %}
{% endmacro %}

{# If a view was never built here, the statement that reads it will fail by itself. #}
{% macro _store_view_again(node, reader) %}
  {% set relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) %}
  {% if not relation %}{{ return(none) }}{% endif %}
  {% set properties = portmesh.query('show tblproperties ' ~ relation).rows %}
  {% for property in properties if property[0] == 'portmesh.view' and property[1] %}
    {% set sql = portmesh.query("select decode(unhex('" ~ property[1] ~ "'), 'utf-8')").rows[0][0] %}
    {% do portmesh.execute_sql(
        'create or replace table ' ~ relation ~ ' using iceberg '
        ~ portmesh._properties_clause({property[0]: property[1]}) ~ ' as\n' ~ sql) %}
  {% else %}
    {% do exceptions.raise_dependency_error(
        portmesh.label_of(reader) ~ ' was not built: the table stored for the view ' ~ node.name
        ~ ' does not contain the view\'s SQL, so its rows may be out of date.\n\n'
        ~ '  got    ' ~ relation ~ ', which an older Portmesh version built\n'
        ~ '  next   ' ~ portmesh.build_command(reader)) %}
  {% endfor %}
{% endmacro %}
