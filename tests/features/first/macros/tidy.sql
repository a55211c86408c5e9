{% macro tidy() %}
  {% do run_query('delete from raw.hooks where step = 2') %}
  {% do run_query('-- a remark\n/* and another */ insert into raw.hooks select 9, n from raw.hooks where step = 3') %}
  {% set steps = run_query('-- the steps\nselect distinct step from raw.hooks order by step').columns[0].values() %}
  {% do log('steps: ' ~ steps | join(' '), info=true) %}
{% endmacro %}
