{# `node` is what an exemption would stand beside; `where` is its YAML file unless another one is at fault. #}
{% macro finding(code, node, what, remedy, where=none) %}
  {{- return({
      'code': code, 'what': what, 'remedy': remedy,
      'where': where or portmesh.file_of(node, (node.patch_path or node.original_file_path).split('://') | last),
      'exemptions': (node.config.meta or {}).get('exemptions'),
  }) -}}
{% endmacro %}
