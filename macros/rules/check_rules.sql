{# Stops the run before its first node, with every finding of every rule. The text of a hook, empty where the mesh is in order. #}
{% macro check_rules() %}
  {% if not execute %}{{ return('') }}{% endif %}
  {% set mesh = portmesh.read_mesh() %}
  {% set findings = [] %}
  {% for check_rule in portmesh._rules() %}
    {% for finding in check_rule(mesh) if not portmesh.is_exempt(finding) %}{% do findings.append(finding) %}{% endfor %}
  {% endfor %}
  {{ return(portmesh.stop_run(portmesh._findings_text(findings)) if findings else '') }}
{% endmacro %}

{% macro _rules() %}
  {{ return([
      portmesh.port_is_described, portmesh.product_is_owned, portmesh.port_is_classified,
      portmesh.consumer_is_listed, portmesh.consumer_has_a_purpose, portmesh.port_is_checked,
      portmesh.exposure_is_listed, portmesh.test_reader_is_listed, portmesh.source_is_outside_the_mesh,
      portmesh.domain_changes_only_itself, portmesh.model_is_in_its_group, portmesh.port_is_in_its_folder,
      portmesh.singular_test_reads_no_port, portmesh.port_meta_is_well_formed, portmesh.exemption_is_valid,
      portmesh.check_limits_are_in_yaml, portmesh.model_only_makes_its_table, portmesh.jinja_leaves_the_gate_alone,
      portmesh.check_can_fail,
      portmesh.port_config_is_known,
  ]) }}
{% endmacro %}

{% macro _findings_text(findings) %}
{{- findings | length }} finding{{ 's' if findings | length != 1 }}; nothing was built.
{% for finding in findings | sort(attribute='code,where,what') %}
{{ finding.code }}  {{ finding.what | wordwrap(88, false, none, false) | indent(7) }}
       {{ finding.where }}
       {{ (finding.remedy ~ ':  docs/rules/' ~ finding.code ~ '.md') | wordwrap(88, false, none, false) | indent(7) }}
{% endfor %}
{%- endmacro %}
