{# Where no hook runs: creates what a hook would have created, and raises if the SQL reads tables that are not built. #}
{% macro assert_can_be_read(node, sql, what) %}
  {% set missing = portmesh._missing_relations(node, sql) %}
  {% if missing %}
    {% do exceptions.raise_dependency_error(
        what ~ ': it reads relations that are not built here.\n\n'
        ~ '  missing   ' ~ missing.values() | join(', ') ~ '\n  next      dbt build --select +'
        ~ missing.keys() | join(' +') ~ ', then run the same command again') %}
  {% endif %}
  {% if target.type == 'duckdb' and 'landed(' in sql %}{% do portmesh._make_lake_functions() %}{% endif %}
{% endmacro %}

{# {selector: label} of the models, seeds and snapshots that the SQL names and that do not exist. A deferred node is not
   checked, because the SQL names a relation of another environment. #}
{% macro _missing_relations(node, sql) %}
  {% set ids, missing = node.depends_on.nodes | list, {} %}
  {% for id in ids if id in graph.nodes %}
    {% set other = graph.nodes[id] %}
    {% set where = {'database': other.get('database'), 'schema': other.schema, 'identifier': other.alias} %}
    {% if other.config.materialized == 'ephemeral' %}
      {% do ids.extend(other.depends_on.nodes) %}
    {% elif api.Relation.create(**where) | string in sql and not adapter.get_relation(**where) %}
      {% do missing.update({portmesh.selector_of(other): portmesh.label_of(other)}) %}
    {% endif %}
  {% endfor %}
  {{ return(missing) }}
{% endmacro %}

{% macro _make_lake_functions() %}
  {% if not run_query("select 1 from duckdb_functions() where function_name = 'landed'").rows %}
    {% do run_query(portmesh.create_lake_functions()) %}
  {% endif %}
{% endmacro %}
