{# Raises where a check could not be measured at the audit, or would write over what is not its own. #}
{% macro assert_checks_can_run(port, checks) %}
  {% set tables = portmesh.tables_by_name() %}
  {% for check in checks if check.id.startswith('test.') %}
    {% do portmesh._assert_is_of_the_domain(port, check) %}
    {% do portmesh._assert_name_is_free(port, check, tables) %}
    {% do portmesh._assert_reads_dependencies(port, check.test) %}
  {% endfor %}
{% endmacro %}

{# Another package's macros would be called by the names that they have there. #}
{% macro _assert_is_of_the_domain(port, check) %}
  {% if check.test.package_name != port.product %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ check.name ~ ' stands in the package ' ~ check.test.package_name
        ~ ', not in its own.\n\n  next   move it to ' ~ port.contract_path) %}
  {% endif %}
{% endmacro %}

{# The failing rows of a test are kept in a table of its name, beside the domain's internal models, seeds and
   snapshots. #}
{% macro _assert_name_is_free(port, check, tables) %}
  {% set kind = tables.get((check.test.schema ~ '.' ~ check.test.alias) | lower) %}
  {% if kind %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ check.name ~ ' has the name of a ' ~ kind
        ~ ', whose table its failing rows would replace.\n\n'
        ~ '  give the check a name of its own in ' ~ port.contract_path) %}
  {% endif %}
{% endmacro %}

{% macro _assert_reads_dependencies(port, test) %}
  {% for id in test.depends_on.nodes if graph.nodes.get(id, {}).get('config', {}).get('materialized') == 'ephemeral' %}
    {% do exceptions.raise_dependency_error(
        port.label ~ ' was not written: its check ' ~ test.alias ~ ' reads ' ~ graph.nodes[id].name
        ~ ', which is ephemeral, so there is nothing to read at the audit. Make it a view or a table.') %}
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
        ~ ' itself, only one of the two can be audited first: keep the check on one side.') %}
  {% endfor %}
{% endmacro %}
