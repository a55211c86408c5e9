{# One statement that compares two tables without a key, as bags of rows with the columns that both have. It returns one
   row: the rows of each; rows gone; rows added; examples of rows gone; of rows added. Examples are as in sql_by_key. #}
{% macro sql_by_row(was, now, columns, examples) %}
  {%- set texts, values, places = [], [], [] -%}
  {%- for column in columns -%}
    {%- set value = 'value_' ~ loop.index -%}
    {%- set text = portmesh.shown_value(value, column.now_type) -%}
    {%- do values.append(value) -%}
    {%- do texts.append('cast(null as ' ~ portmesh.engine_type('string') ~ ')' if column.is_hidden else text) -%}
    {%- do places.append("coalesce(" ~ text ~ ", '')") -%}
  {%- endfor -%}
  {%- set results = [
      '(select count(*) from ' ~ was ~ ')', '(select count(*) from ' ~ now ~ ')',
      'sum(case when was_times > now_times then was_times - now_times else 0 end)',
      'sum(case when now_times > was_times then now_times - was_times else 0 end)',
      portmesh.first_texts(texts, 'place', 'was_times > now_times', examples),
      portmesh.first_texts(texts, 'place', 'now_times > was_times', examples)] -%}
  {{- return('select\n  ' ~ results | join(',\n  ') ~ '\nfrom (select *, ' ~ places | join(" || ' ' || ")
      ~ ' as place from (select ' ~ values | join(', ') ~ ', sum(was_time) as was_times, sum(now_time) as now_times\n'
      ~ 'from (' ~ portmesh._rows_of(was, columns, true) ~ '\nunion all\n' ~ portmesh._rows_of(now, columns, false)
      ~ '\n) as rows_of_both\ngroup by ' ~ values | join(', ')
      ~ '\nhaving sum(was_time) <> sum(now_time)) as counted) as differing') -}}
{% endmacro %}

{% macro _rows_of(relation, columns, is_was) %}
  {%- set selected = ['1 as was_time', '0 as now_time'] if is_was else ['0 as was_time', '1 as now_time'] -%}
  {%- for column in columns -%}
    {%- set name = adapter.quote(column.was_name if is_was else column.name) -%}
    {%- set type = column.was_type if is_was else column.now_type -%}
    {%- do selected.append(portmesh.as_compared(name, column, type) ~ ' as value_' ~ loop.index) -%}
  {%- endfor -%}
  {{- return('select ' ~ selected | join(', ') ~ ' from ' ~ relation) -}}
{% endmacro %}
