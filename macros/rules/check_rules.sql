{# Stops the run before its first node and lists every finding; dates that are near or past are only warnings.
   Returns the SQL of a hook, empty if there are no findings. #}
{% macro check_rules() %}
  {% if not execute %}{{ return('') }}{% endif %}
  {% set mesh = portmesh.read_mesh() %}
  {% set findings = portmesh._apply(portmesh._rules(), mesh) %}
  {% if findings %}{{ return(portmesh.stop_run(portmesh._findings_text(findings))) }}{% endif %}
  {% set warnings = portmesh._apply(portmesh._rules_that_warn(), mesh) %}
  {% if warnings %}{% do exceptions.warn(portmesh._warnings_text(warnings)) %}{% endif %}
  {{ return('') }}
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
      portmesh.domain_reads_only_ports, portmesh.exposure_has_its_own_name, portmesh.relation_is_in_its_schema,
      portmesh.domain_is_built_by_the_mesh,
      portmesh.port_config_is_known, portmesh.model_is_as_its_yaml_says, portmesh.meta_has_known_keys,
      portmesh.source_has_its_own_feed, portmesh.python_runs_on_spark,
  ]) }}
{% endmacro %}

{% macro _rules_that_warn() %}
  {{ return([portmesh.version_has_its_own_number, portmesh.access_that_ends]) }}
{% endmacro %}

{% macro _apply(rules, mesh) %}
  {% set findings = [] %}
  {% for rule in rules %}
    {% for finding in rule(mesh) if not portmesh.is_exempt(finding) %}{% do findings.append(finding) %}{% endfor %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{% macro _findings_text(findings) %}
{{- findings | length }} finding{{ 's' if findings | length != 1 }}; nothing was built.
{{ portmesh._list_text(findings) }}
{%- endmacro %}

{% macro _warnings_text(warnings) %}
{{- warnings | length }} warning{{ 's' if warnings | length != 1 }} from the rules.
{{ portmesh._list_text(warnings) }}
{%- endmacro %}

{% macro _list_text(findings) %}
{%- for finding in findings | sort(attribute='code,where,what') %}
{{ finding.code }}  {{ finding.what | wordwrap(88, false, none, false) | indent(7) }}
       {{ finding.where }}
       {{ (finding.remedy ~ ':  docs/rules/' ~ finding.code ~ '.md') | wordwrap(88, false, none, false) | indent(7) }}
{% endfor %}
{%- endmacro %}
