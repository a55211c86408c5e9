{# Who to ask about a domain: the email of its owner, or else the domain's name. #}
{% macro owner_of(node) %}
  {%- for group in graph.groups.values() if group.name == node.package_name and group.owner.email -%}
    {{- return(group.owner.email) -}}
  {%- endfor -%}
  {{- return(node.package_name) -}}
{% endmacro %}
