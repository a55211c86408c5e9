{# SQL that has rows wherever the check's own has, and is cheaper on many rows: {sql, buckets}; none where there is none.
   Where it has rows, the check's own SQL counts. `relationships`: on the values, each once. `unique`: keys in buckets, of
   which one without duplicates holds no key twice. `fresh_within`: on the increment, whose newest row is no newer than that
   of all. Only of the contract's columns, whose types are known. #}
{% macro quick_form(port, check, increment) %}
  {% set types = {} %}{% for c in port.columns %}{% do types.update({c.name: c.data_type}) %}{% endfor %}
  {% if check.column not in types or not portmesh.has_plain_limits(check) or check.limit is not none or check.scope == 'rows' %}{{ return(none) }}{% endif %}
  {% if check.macro == 'macro.dbt.test_relationships' %}
    {% if portmesh._refers_to_itself(port, portmesh._rendered_arguments_for(port, check)) %}{{ return(none) }}{% endif %}
    {% set where = ' where ' ~ check.where if check.where else '' %}
    {% set values = '(select distinct ' ~ check.column ~ ' from ' ~ check.relation ~ where ~ ') as its_values' %}
    {{ return({'sql': portmesh.render_check(port, portmesh._without_where(check), values), 'buckets': none}) }}
  {% elif check.macro == 'macro.dbt.test_unique' %}
    {% set buckets = portmesh.key_buckets(check.column, types[check.column], portmesh.filtered(check.relation, check.where)) %}
    {{ return({'sql': portmesh.buckets_with_duplicates(check, buckets), 'buckets': buckets} if buckets else none) }}
  {% elif check.macro == 'macro.portmesh.test_fresh_within' and increment %}
    {{ return({'sql': portmesh.render_check(port, check, increment), 'buckets': none}) }}
  {% endif %}
  {{ return(none) }}
{% endmacro %}

{% macro _without_where(check) %}
  {{ return(dict(check, test=dict(check.test, config=dict(check.test.config, where=none)))) }}
{% endmacro %}

{% macro filtered(relation, where) %}
  {{- return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery' if where else relation) -}}
{% endmacro %}

{# Rows if and only if a key stands twice. #}
{% macro buckets_with_duplicates(check, buckets) -%}
  select {{ buckets.key }} as bucket
  from {{ portmesh.filtered(check.relation, check.where) }}
  where {{ check.column }} is not null
  group by 1
  having {{ buckets.holds_duplicates }}
{%- endmacro %}

{# How many buckets hold duplicates, and which: the lowest and the highest of each thousandth of them, so that the list is
   short however many there are. As dbt's get_test_sql names and decides. #}
{% macro measured_buckets(check) -%}
  select coalesce(sum(held), 0) as failures, coalesce(sum(held), 0) {{ check.warn_if }} as should_warn,
    coalesce(sum(held), 0) {{ check.error_if }} as should_error,
    {{ portmesh.joined_texts('lowest') }} || ' ' || {{ portmesh.joined_texts('highest') }} as buckets
  from (
    select mod(bucket, 1000) as slot, min(bucket) as lowest, max(bucket) as highest, count(*) as held
    from ({{ check.quick.sql }}) as found group by 1
  ) as slots
{%- endmacro %}

{# The rows of the buckets that `measured` tells of, on which dbt's own SQL gives what it gives on all. As literals, so that
   files whose keys lie elsewhere are passed over; by a subquery where they are too many to be listed. #}
{% macro rows_in_buckets(check, measured) %}
  {% set buckets, found = check.quick.buckets, measured['buckets'].split() | map('int') | unique | list %}
  {% set is_complete = found | length == measured['failures'] and found | length <= 1000 %}
  {% set condition = buckets.key ~ ' in (' ~ (found | join(', ') if is_complete else portmesh.buckets_with_duplicates(check, buckets)) ~ ')' %}
  {% if buckets.keys_in_a_row %}
    {% set first, last = found | min * buckets.keys_in_a_row, (found | max + 1) * buckets.keys_in_a_row - 1 %}
    {% set condition = check.column ~ ' between ' ~ first ~ ' and ' ~ last ~ ' and ' ~ condition %}
  {% endif %}
  {{ return('(select * from ' ~ check.relation ~ ' where ' ~ condition ~ ')') }}
{% endmacro %}
