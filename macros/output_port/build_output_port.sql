{# The same steps on every engine: check the contract, write a candidate, audit it, publish or refuse it, record it. #}
{% macro build_output_port() %}
  {%- set port = portmesh.describe_port(model) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% do portmesh.begin_step('write') %}
  {% do portmesh.assert_port_contract(port, compiled_code) %}
  {% set attempt = portmesh._pass_over(port) if portmesh.is_partial_run()
      else portmesh.write_audit_publish(port, portmesh.sql_after_start(port)) %}

  {% do persist_docs(port.relation, model) %}
  {% do apply_grants(port.relation, config.get('grants'), should_revoke=true) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% if attempt %}{% do portmesh.assert_published(port, attempt.place, attempt.row_count) %}{% endif %}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {% if attempt and post_hooks %}{% do portmesh.assert_published(port, attempt.place, attempt.row_count) %}{% endif %}
  {{ return({'relations': [port.relation]}) }}
{% endmacro %}

{# With --empty or --sample dbt reads only part of the input, so the run checks the contract and publishes no rows. #}
{% macro _pass_over(port) %}
  {% if not load_relation(port.relation) %}{% do portmesh.publish_shell(port) %}{% endif %}
  {% set message = 'contract matches, nothing published' %}
  {% do store_raw_result('main', message=message, code='passed over', rows_affected=none) %}
  {{ return(none) }}
{% endmacro %}
