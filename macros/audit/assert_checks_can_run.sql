{# Raises if the audit could not measure a check, or if the check's failing rows would overwrite another table. #}
{% macro assert_checks_can_run(port, checks) %}
  {% set tables = portmesh.tables_by_name() %}
  {% for check in checks if check.id.startswith('test.') %}
    {% do portmesh._assert_is_of_the_domain(port, check) %}
    {% do portmesh._assert_name_is_free(port, check, tables) %}
    {% do portmesh._assert_reads_dependencies(port, check.test) %}
  {% endfor %}
{% endmacro %}

{# A check in another package would call that package's macros, not the domain's. #}
{% macro _assert_is_of_the_domain(port, check) %}
  {% if check.test.package_name != port.product %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ check.name ~ ' is in another package, '
        ~ check.test.package_name ~ '.\n\n  next   move it to ' ~ port.contract_path) %}
  {% endif %}
{% endmacro %}

{# dbt stores a test's failing rows in a table with the test's name, in the schema of the domain's internal models,
   seeds and snapshots. #}
{% macro _assert_name_is_free(port, check, tables) %}
  {% set kind = tables.get((check.test.schema ~ '.' ~ check.test.alias) | lower) %}
  {% if kind %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ check.name ~ ' has the same name as a ' ~ kind
        ~ ', and its failing rows would replace the table of that ' ~ kind ~ '.\n\n'
        ~ '  next   give the check a different name in ' ~ port.contract_path) %}
  {% endif %}
{% endmacro %}

{% macro _assert_reads_dependencies(port, test) %}
  {% for id in test.depends_on.nodes if graph.nodes.get(id, {}).get('config', {}).get('materialized') == 'ephemeral' %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ test.alias ~ ' reads ' ~ graph.nodes[id].name
        ~ ', which is ephemeral, so the audit has no table to read.\n\n  next   make it a view or a table') %}
  {% endfor %}
  {% for id in test.depends_on.nodes if id != port.id and id not in port.node.depends_on.nodes %}
    {% set other = graph.nodes.get(id) or graph.sources.get(id) %}
    {% set reference = "source('" ~ other.source_name ~ "', '" ~ other.name ~ "')" if other.resource_type == 'source'
        else "ref('" ~ other.package_name ~ "', '" ~ other.name ~ "')" %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ test.alias ~ ' reads ' ~ other.package_name ~ '.' ~ other.name
        ~ ', which the port does not depend on, so it might not be built before the audit.'
        ~ '\n\n  add this line to ' ~ port.node.original_file_path ~ ':\n  -- depends_on: {{ ' ~ reference ~ ' }}'
        ~ '\n\n  If ' ~ other.name ~ ' reads ' ~ port.name
        ~ ', only one of the two can be audited first: keep the check only on ' ~ other.name ~ '.') %}
  {% endfor %}
{% endmacro %}
