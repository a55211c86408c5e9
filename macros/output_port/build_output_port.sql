{% macro build_output_port() %}
  {%- set port = portmesh.describe_port(model) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% do portmesh.begin_step('write') %}
  {% do portmesh.assert_port_contract(port, compiled_code) %}

  {% if portmesh.is_partial_run() %}
    {% do portmesh._pass_over(port) %}
  {% else %}
    {% do portmesh._write_audit_publish(port) %}
  {% endif %}

  {% do persist_docs(port.relation, model) %}
  {% do apply_grants(port.relation, config.get('grants'), should_revoke=true) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [port.relation]}) }}
{% endmacro %}

{% macro _write_audit_publish(port) %}
  {% set started_at = modules.datetime.datetime.now() %}
  {% set current = portmesh.current_version(port) %}
  {% set increment = portmesh._is_increment(port, current) %}

  {% do portmesh.place_candidate(port, current, increment) %}
  {% do portmesh.write_candidate(port, compiled_code) %}
  {{ adapter.commit() }}
  {% set written = portmesh.count_rows(port.candidate) if increment else none %}
  {% if increment and written %}{% do portmesh.apply_increment(port) %}{% endif %}

  {% do portmesh.begin_step('audit') %}
  {% set audited = port.whole if written or not increment else portmesh.published_rows(port, current) %}
  {% set checks = portmesh.measure_checks(port, audited, current, increment) %}
  {% set attempt = {
      'port': port, 'current': current, 'checks': checks, 'row_count': port.row_count, 'started_at': started_at,
      'written': written,
      'kind': 'increment' if increment else 'full',
      'base': port.base,
      'failed': checks | selectattr('status', 'equalto', 'fail') | list,
  } %}

  {% if attempt.failed %}{% do portmesh.refuse(attempt) %}{% endif %}
  {% if increment and not written %}
    {% do portmesh._leave_unchanged(attempt) %}
  {% else %}
    {% do portmesh._publish(attempt) %}
  {% endif %}
  {% do portmesh.hand_over_measurements(checks) %}
{% endmacro %}

{% macro _publish(attempt) %}
  {% set port = attempt.port %}
  {% do portmesh.begin_step('publish') %}
  {% do portmesh.publish_version(port) %}
  {% do portmesh.begin_step('record') %}
  {% do portmesh.record_attempt(attempt, 'published', port.version) %}
  {% do portmesh.finish_publication(port) %}
  {% do portmesh.drop_superseded_versions(port) %}
  {% do portmesh.drop_kept_failures(attempt.checks) %}
  {% do portmesh._say('published', attempt) %}
{% endmacro %}

{% macro _leave_unchanged(attempt) %}
  {% do portmesh.record_attempt(attempt, 'unchanged', attempt.current.version) %}
  {% do portmesh.drop_candidate(attempt.port) %}
  {% do portmesh.drop_superseded_versions(attempt.port) %}
  {% do portmesh._say('nothing new in', attempt) %}
{% endmacro %}

{% macro _say(verdict, attempt) %}
  {% set message = verdict ~ ' ' ~ '{:,}'.format(attempt.row_count) ~ ' rows, ' ~ attempt.checks | length ~ ' checks' %}
  {% do store_raw_result('main', message=message, code=verdict, rows_affected=attempt.row_count) %}
{% endmacro %}

{# --empty and --sample read a part of the input: they assert the contract and publish no rows. #}
{% macro _pass_over(port) %}
  {% if not load_relation(port.relation) %}{% do portmesh.publish_shell(port) %}{% endif %}
  {% do store_raw_result('main', message='contract holds, nothing published', code='passed over', rows_affected=none) %}
{% endmacro %}

{% macro is_partial_run() %}
  {{ return(flags.EMPTY or invocation_args_dict.get('sample') is not none) }}
{% endmacro %}

{% macro _is_increment(port, current) %}
  {% if not port.unique_key or not current or should_full_refresh() %}{{ return(false) }}{% endif %}
  {% do portmesh.assert_schema_unchanged(port, current) %}
  {{ return(true) }}
{% endmacro %}
