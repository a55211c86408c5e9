{# Contract, candidate, audit, publish or refuse, record: the same on every engine. #}
{% macro build_output_port() %}
  {%- set port = portmesh.describe_port(model) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% do portmesh.begin_step('write') %}
  {% do portmesh.assert_port_contract(port, compiled_code) %}
  {% if portmesh.is_partial_run() %}
    {% do portmesh._pass_over(port) %}
  {% else %}
    {% set sql = portmesh.sql_after_start(port) %}
    {% set attempt = portmesh.write_audit_publish(port, sql) %}
  {% endif %}

  {% do persist_docs(port.relation, model) %}
  {% do apply_grants(port.relation, config.get('grants'), should_revoke=true) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% if attempt %}{% do portmesh.assert_published(port, attempt.place, attempt.row_count) %}{% endif %}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {% if attempt and post_hooks %}{% do portmesh.assert_published(port, attempt.place, attempt.row_count) %}{% endif %}
  {{ return({'relations': [port.relation]}) }}
{% endmacro %}

{# Gives the attempt: {port, history, current, kind, place, checks, failed, row_count, written, started_at}. `kind` is given where
   the rows are not the model's: `start`. #}
{% macro write_audit_publish(port, sql, kind=none) %}
  {% set started_at = modules.datetime.datetime.now() %}
  {% set history = portmesh.read_history(port) %}
  {% set current = history.current %}
  {% set changes = portmesh.compare_contracts(port, current) %}
  {% set increment = not kind and port.unique_key and current and not should_full_refresh() %}

  {% set place = portmesh.place_candidate(port, current, increment, changes) %}
  {% do portmesh.write_candidate(port, place, sql, changes) %}
  {{ adapter.commit() }}
  {% set written = portmesh.count_rows(place.candidate) if increment else none %}
  {% set is_news = not increment or written > 0 or changes | length > 0 %}
  {% if increment and is_news %}{% do portmesh.compose_result(port, place, changes) %}{% endif %}

  {% do portmesh.begin_step('audit') %}
  {% set audited = place.result if is_news else portmesh.published_rows(port, current) %}
  {% set plan = portmesh.plan_audit(port, current, audited, place.candidate if increment else none) %}
  {% set measured = portmesh.measure_checks(port, plan, audited, current) %}
  {% set attempt = {
      'port': port, 'history': history, 'current': current, 'kind': kind or ('increment' if increment else 'full'), 'place': place,
      'audited': audited, 'checks': measured.checks, 'failed': measured.checks | selectattr('status', 'equalto', 'fail') | list,
      'row_count': measured.row_count, 'written': written, 'started_at': started_at,
  } %}
  {% if attempt.failed %}{% do portmesh.refuse(attempt) %}{% endif %}
  {% if is_news %}{% do portmesh._publish(attempt, changes) %}{% else %}{% do portmesh._leave_unchanged(attempt) %}{% endif %}
  {% do portmesh.hand_over_measurements(measured.checks) %}
  {{ return(attempt if is_news else none) }}
{% endmacro %}

{% macro _publish(attempt, changes) %}
  {% set port, place = attempt.port, attempt.place %}
  {% do portmesh.begin_step('publish') %}
  {% do portmesh.publish_version(port, place, changes) %}
  {% do portmesh.begin_step('record') %}
  {% do portmesh.record_attempt(attempt, 'published', place.version) %}
  {% do portmesh.finish_publication(port, place) %}
  {% do portmesh.drop_superseded_versions(port, portmesh.read_history(port), place) %}
  {% do portmesh.drop_kept_failures(attempt.checks) %}
  {% do portmesh._say('published', attempt) %}
{% endmacro %}

{% macro _leave_unchanged(attempt) %}
  {% do portmesh.show_again(attempt.port, attempt.current) %}
  {% do portmesh.record_attempt(attempt, 'unchanged', attempt.current.version) %}
  {% do portmesh.drop_candidate(attempt.place) %}
  {% do portmesh.drop_superseded_versions(attempt.port, attempt.history, attempt.place) %}
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
