{# `node` is what an exemption would stand beside; `where` is its YAML file unless another one is at fault. #}
{% macro finding(code, node, what, remedy, where=none) %}
  {{- return({
      'code': code, 'what': what, 'remedy': remedy,
      'where': where or portmesh.yaml_of(node),
      'exemptions': (node.config.meta or {}).get('exemptions'),
  }) -}}
{% endmacro %}
