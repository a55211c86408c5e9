{# The model's SQL. If the port starts from another port's rows, this publishes them first, and then returns the SQL of
   the port's increment. #}
{% macro sql_after_start(port) %}
  {% set other = portmesh._starts_from(port) if port.unique_key and not should_full_refresh() else none %}
  {% if not other or portmesh.read_history(port).current %}{{ return(compiled_code) }}{% endif %}
  {% if not portmesh.read_history(other).current %}
    {% do log(port.label ~ ' starts from its model alone: ' ~ other.reads_as
        ~ ' (config.meta.starts_from) has no published version here.', info=true) %}
    {{ return(compiled_code) }}
  {% endif %}
  {% do portmesh.start_port(port, other) %}
  {% set sql = portmesh._sql_of_increment() if compiled_code is string else compiled_code.as_increment() %}
  {% do portmesh.begin_step('write') %}
  {% do portmesh.assert_port_contract(port, sql) %}
  {{ return(sql) }}
{% endmacro %}

{# Renders the model's SQL once more, because it was compiled when its port had no rows. The code of a Python model runs
   once more (src/dbt_portmesh/python_models). #}
{% macro _sql_of_increment() %}
  {% set sql, helpers = render(model.raw_code), model.extra_ctes | map(attribute='sql') | join(', ') %}
  {{ return('with ' ~ helpers ~ ' select * from (\n' ~ sql ~ '\n) as model' if helpers else sql) }}
{% endmacro %}

{# The port that config.meta.starts_from names: a version number of the same model, or the name of a published table in
   the same domain. #}
{% macro _starts_from(port) %}
  {% set given = portmesh.meta_of(port.node).get('starts_from') %}
  {% if given is none or given is undefined %}{{ return(none) }}{% endif %}
  {% for node in graph.nodes.values() if node.resource_type == 'model' and node.package_name == port.product %}
    {% if node.name == port.node.name and node.version and node.version | string == given | string %}
      {{ return(portmesh.describe_port(node)) }}
    {% endif %}
  {% endfor %}
  {{ return(portmesh.describe_relation(port.product ~ '.' ~ given)) }}
{% endmacro %}
