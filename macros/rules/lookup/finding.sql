{# `node` is where an exemption would be written; `where` is the file at fault, by default the YAML of the node. #}
{% macro finding(code, node, what, remedy, where=none) %}
  {{- return({
      'code': code, 'what': what, 'remedy': remedy,
      'where': where or portmesh.yaml_of(node),
      'exemptions': (node.config.meta or {}).get('exemptions'),
  }) -}}
{% endmacro %}
