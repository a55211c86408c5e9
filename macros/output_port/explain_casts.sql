{# Runs after a dbt command: for each model and snapshot that failed at a value that cannot be cast, it logs where to
   find the value's rows. A port's own message says it (explain_faults). #}
{% macro explain_casts(results) %}
  {%- for result in results if result.status == 'error' and result.node.resource_type in ['model', 'snapshot'] -%}
    {%- set node = graph.nodes.get(result.node.unique_id) -%}
    {%- set bad = portmesh.bad_value(node, result.message or '') if node and not portmesh.is_port(node) else '' -%}
    {%- if bad -%}
      {%- do portmesh.say(portmesh.label_of(node) ~ ' was not built.\n\n  cause   ' ~ bad) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}
