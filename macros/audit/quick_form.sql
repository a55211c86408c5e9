{# SQL that returns rows whenever the check's own SQL does, but is cheaper on many rows: {sql, counting, buckets}, or
   none if there is no such form. `counting` measures it as dbt's test node would. If it finds rows, the check's own SQL
   counts them. `relationships` looks at each distinct value once. `unique` groups keys into buckets; if a bucket has no
   duplicates, no key in it occurs twice. `fresh_within` reads the increment: if its newest row is recent enough, so is
   the port's. Works only on the contract's columns, whose types are known. #}
{% macro quick_form(port, check, increment) %}
  {% set types, is_plain = {}, portmesh.has_plain_limits(check) and check.limit is none and check.scope != 'rows' %}
  {% for column in port.columns %}{% do types.update({column.name: column.data_type}) %}{% endfor %}
  {% if check.column not in types or not is_plain %}{{ return(none) }}{% endif %}
  {% set sql = none %}
  {% if check.macro == 'macro.dbt.test_unique' %}
    {{ return(portmesh._keys_in_buckets(check, types[check.column])) }}
  {% elif check.macro == 'macro.dbt.test_relationships' and not check.refers_to_itself %}
    {% set sql = portmesh._orphans_among_values(port, check) %}
  {% elif check.macro == 'macro.portmesh.test_fresh_within' and increment %}
    {% set sql = portmesh.render_check(port, check, increment).sql %}
  {% endif %}
  {{ return({'sql': sql, 'counting': portmesh.test_sql(check, sql), 'buckets': none} if sql else none) }}
{% endmacro %}

{% macro _keys_in_buckets(check, data_type) %}
  {% set rows = portmesh.filtered(check.relation, check.where) %}
  {% set buckets = portmesh.key_buckets(check.column, data_type, rows) %}
  {% if not buckets %}{{ return(none) }}{% endif %}
  {% set sql = portmesh._buckets_with_duplicates(check, rows, buckets) %}
  {{ return({'sql': sql, 'counting': portmesh._counted_buckets(check, sql), 'buckets': buckets}) }}
{% endmacro %}

{% macro _orphans_among_values(port, check) %}
  {% set where = ' where ' ~ check.where if check.where else '' %}
  {% set values = '(select distinct ' ~ check.column ~ ' from ' ~ check.relation ~ where ~ ') as its_values' %}
  {% set anywhere = dict(check, test=dict(check.test, config=dict(check.test.config, where=none))) %}
  {{ return(portmesh.render_check(port, anywhere, values).sql) }}
{% endmacro %}

{# Returns rows if and only if a key occurs twice. #}
{% macro _buckets_with_duplicates(check, rows, buckets) -%}
  select {{ buckets.key }} as bucket
  from {{ rows }}
  where {{ check.column }} is not null
  group by 1
  having {{ buckets.holds_duplicates }}
{%- endmacro %}

{# The number of buckets with duplicates, and which: the lowest and highest bucket in each of 1,000 groups, so that the
   list stays short. Columns and conditions are those of dbt's get_test_sql. #}
{% macro _counted_buckets(check, sql) -%}
  select coalesce(sum(held), 0) as failures, coalesce(sum(held), 0) {{ check.warn_if }} as should_warn,
    coalesce(sum(held), 0) {{ check.error_if }} as should_error,
    {{ portmesh.joined_texts('lowest') }} || ' ' || {{ portmesh.joined_texts('highest') }} as buckets
  from (
    select mod(bucket, 1000) as slot, min(bucket) as lowest, max(bucket) as highest, count(*) as held
    from ({{ sql }}) as found group by 1
  ) as slots
{%- endmacro %}
