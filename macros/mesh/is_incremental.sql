{# dbt's own macro knows only its incremental materialization. A port is incremental if it has a unique_key.

   Lineage also needs the SQL for an increment, though nothing is built where it is compiled: `compiles_increments`.
   dbt itself never executes anything in `dbt parse`. #}
{% macro is_incremental() %}
  {% if execute and flags.WHICH == 'parse' and var('compiles_increments', false) %}
    {% set is_port = model.config.materialized == 'output_port' and config.get('unique_key') %}
    {{ return(is_port or model.config.materialized == 'incremental') }}
  {% endif %}
  {% if not execute or not this or not flags.INTROSPECT %}{{ return(false) }}{% endif %}
  {% if model.config.materialized != 'output_port' %}{{ return(dbt.is_incremental()) }}{% endif %}
  {% if not config.get('unique_key') or should_full_refresh() %}{{ return(false) }}{% endif %}
  {{ return(portmesh.read_history(portmesh.describe_port(model)).current is not none) }}
{% endmacro %}
