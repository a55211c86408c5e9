{# Returns the attempt, {port, history, current, kind, place, audited, checks, failed, row_count, started_at, batches},
   or none if there was nothing new. Pass `kind` only if the rows do not come from the model: `start`. #}
{% macro write_audit_publish(port, sql, kind=none) %}
  {% set started_at, history = modules.datetime.datetime.now(), portmesh.read_history(port) %}
  {% set current = history.current %}
  {% set changes = portmesh.compare_contracts(port, current) %}
  {% set increment = not kind and port.unique_key and current and not should_full_refresh() %}

  {% set place = portmesh.place_candidate(port, current, increment, changes) %}
  {% do portmesh.write_candidate(port, place, sql, changes) %}
  {{ adapter.commit() }}
  {% set is_news = not increment or portmesh.count_rows(place.candidate) > 0 or changes | length > 0 %}
  {% set batches = portmesh.batches_of(port, place.candidate) if is_news else none %}
  {% if increment and is_news %}{% do portmesh.compose_result(port, place, changes) %}{% endif %}

  {% do portmesh.begin_step('audit') %}
  {% set audited = place.result if is_news else portmesh.published_rows(port, current) %}
  {% set plan = portmesh.plan_audit(port, current, audited, place.candidate if increment else none) %}
  {% set attempt = dict(portmesh.measure_checks(port, plan, audited),
      port=port, history=history, current=current, kind=kind or ('increment' if increment else 'full'), place=place,
      audited=audited, started_at=started_at, batches=batches) %}
  {% do attempt.update({'failed': attempt.checks | selectattr('status', 'equalto', 'fail') | list}) %}
  {% if attempt.failed %}{% do portmesh.refuse(attempt) %}{% endif %}
  {% if not is_news %}{% do portmesh._leave_unchanged(attempt) %}{{ return(none) }}{% endif %}
  {% do portmesh._publish(attempt, changes) %}
  {{ return(attempt) }}
{% endmacro %}

{% macro _publish(attempt, changes) %}
  {% set port, place = attempt.port, attempt.place %}
  {% do portmesh.begin_step('publish') %}
  {% do portmesh.publish_version(port, place, changes) %}
  {% do portmesh.begin_step('record') %}
  {% do portmesh.record_attempt(attempt, 'published', place.version) %}
  {% do portmesh.finish_publication(port, place) %}
  {% set history = dict(attempt.history, versions=[place] + attempt.history.versions) %}
  {% do portmesh.drop_superseded_versions(port, history, place) %}
  {% for check in attempt.checks if not check.store_failures and not flags.STORE_FAILURES %}
    {% set kept = load_relation(check.failures_relation) %}
    {% if kept %}{% do adapter.drop_relation(kept) %}{% endif %}
  {% endfor %}
  {% do portmesh._tell('published', attempt) %}
{% endmacro %}

{% macro _leave_unchanged(attempt) %}
  {% do portmesh.show_again(attempt.port, attempt.current) %}
  {% do portmesh.record_attempt(attempt, 'unchanged', attempt.current.version) %}
  {% do portmesh.drop_candidate(attempt.place) %}
  {% do portmesh.drop_superseded_versions(attempt.port, attempt.history, attempt.place) %}
  {% do portmesh._tell('nothing new in', attempt) %}
{% endmacro %}

{# Tells dbt the outcome, and hands the results of the checks to dbt's test nodes of the same run. #}
{% macro _tell(verdict, attempt) %}
  {% set message = verdict ~ ' ' ~ '{:,}'.format(attempt.row_count) ~ ' rows, ' ~ attempt.checks | length ~ ' checks' %}
  {% do store_raw_result('main', message=message, code=verdict, rows_affected=attempt.row_count) %}
  {% do portmesh.hand_over_measurements(attempt.checks) %}
{% endmacro %}
