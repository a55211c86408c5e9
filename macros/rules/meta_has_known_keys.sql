{# PM125 #}
{% macro meta_has_known_keys(mesh) %}
  {% set findings = [] %}
  {% for node in mesh.groups + mesh.sources %}
    {% for problem in portmesh._unknown_keys_of(node) %}
      {% do findings.append(portmesh.finding('PM125', node,
          'The ' ~ portmesh.kind_of(node) ~ ' ' ~ portmesh.label_of(node) ~ ': ' ~ problem ~ '.',
          'Correct the key, or remove it')) %}
    {% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _unknown_keys_of(node) %}
  {% set meta, unknown = portmesh.meta_of(node), portmesh.unknown_keys %}
  {% if node.resource_type == 'group' %}
    {{ return(unknown('config.meta', meta, portmesh.known_keys('product'))
        + unknown('the owner', node.owner, portmesh.known_keys('owner'))) }}
  {% endif %}
  {# A plugin of dbt-duckdb has keys of its own. #}
  {% set problems = [] if meta.plugin else unknown('config.meta', meta, portmesh.known_keys('source')) %}
  {{ return(problems + portmesh.unknown_keys_of_columns(node, 'source_column')) }}
{% endmacro %}
