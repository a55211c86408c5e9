{# One statement that compares two tables by a key and returns one row: the rows of each; pairs that differ; different
   keys among these; rows gone; rows added; examples of keys gone; of keys added; then, for each column outside the key,
   how many values differ, and examples. Examples are JSON: lists of texts, the key's, then the value before and now. #}
{% macro sql_by_key(was, now, columns, key, tolerance, examples) %}
  {%- set values = portmesh._values_of(columns, key) -%}
  {%- set is_pair = 'was_there = 1 and now_there = 1' -%}
  {%- set texts = portmesh._texts_of_key(key) -%}
  {%- set results = [
      '(select count(*) from ' ~ was ~ ')', '(select count(*) from ' ~ now ~ ')', 'count(*)',
      'count(distinct (' ~ portmesh._numbered('key_', key) | join(', ') ~ ', 0))',
      'count(case when now_there is null then 1 end)', 'count(case when was_there is null then 1 end)',
      portmesh.first_texts(texts, 'place', 'now_there is null', examples),
      portmesh.first_texts(texts, 'place', 'was_there is null', examples)] -%}
  {%- for column in values -%}
    {%- set differs = is_pair ~ ' and differs_' ~ loop.index -%}
    {%- set both = [portmesh._text_of('was_' ~ loop.index, column, column.was_type),
        portmesh._text_of('now_' ~ loop.index, column, column.now_type)] -%}
    {%- do results.append('count(case when ' ~ differs ~ ' then 1 end)') -%}
    {%- do results.append('cast(null as ' ~ portmesh.engine_type('string') ~ ')' if column.is_hidden
        else portmesh.first_texts(texts + both, 'place', differs, examples)) -%}
  {%- endfor -%}
  {{- return('select\n  ' ~ portmesh._named(results) | join(',\n  ') ~ '\nfrom (\n'
      ~ portmesh._differing_pairs(was, now, values, key, tolerance) ~ '\n) as differing') -}}
{% endmacro %}

{# The pairs of rows that differ, and rows without a partner. `place` orders them by the text of their keys. #}
{% macro _differing_pairs(was, now, values, key, tolerance) %}
  {%- set joins, keys, pairs, differ, places = [], [], [], ['was_there is null', 'now_there is null'], [] -%}
  {%- for column in key -%}
    {%- set place, type = 'key_' ~ loop.index, column.now_type if column.how == 'as_they_are' else 'string' -%}
    {%- do joins.append(portmesh.are_same(
        portmesh.compared_value('was.' ~ place, type), portmesh.compared_value('now.' ~ place, type))) -%}
    {%- do keys.append('coalesce(was.' ~ place ~ ', now.' ~ place ~ ') as ' ~ place) -%}
    {%- do places.append("coalesce(" ~ portmesh.shown_value(place, column.now_type) ~ ", '')") -%}
  {%- endfor -%}
  {%- for column in values -%}
    {%- set one, other = 'was.value_' ~ loop.index, 'now.value_' ~ loop.index -%}
    {%- do pairs.extend([one ~ ' as was_' ~ loop.index, other ~ ' as now_' ~ loop.index,
        portmesh._differs(one, other, column, tolerance) ~ ' as differs_' ~ loop.index]) -%}
    {%- do differ.append('differs_' ~ loop.index) -%}
  {%- endfor -%}
  {{- return('select *, ' ~ places | join(" || ' ' || ") ~ ' as place from (select '
      ~ (['was.is_there as was_there', 'now.is_there as now_there'] + keys + pairs) | join(', ') ~ '\nfrom '
      ~ portmesh._side(was, values, key, true) ~ ' as was\nfull outer join ' ~ portmesh._side(now, values, key, false)
      ~ ' as now\non ' ~ joins | join(' and ') ~ '\n) as pairs\nwhere ' ~ differ | join(' or ')) -}}
{% endmacro %}

{% macro _side(relation, values, key, is_was) %}
  {%- set columns = ['1 as is_there'] -%}
  {%- for column in key -%}
    {%- set name = adapter.quote(column.was_name if is_was else column.name) -%}
    {%- set type = column.was_type if is_was else column.now_type -%}
    {%- do columns.append(portmesh.as_compared(name, column, type) ~ ' as key_' ~ loop.index) -%}
  {%- endfor -%}
  {%- for column in values -%}
    {%- do columns.append(adapter.quote(column.was_name if is_was else column.name) ~ ' as value_' ~ loop.index) -%}
  {%- endfor -%}
  {{- return('(select ' ~ columns | join(', ') ~ ' from ' ~ relation ~ ')') -}}
{% endmacro %}

{# Whether two values differ. Null equals null, and NaN equals NaN. With a tolerance, doubles may differ by this share
   of the larger one, unless one of them is infinite or not a number. #}
{% macro _differs(one, other, column, tolerance) %}
  {%- set left, right = portmesh.compared_value(portmesh.as_compared(one, column, column.was_type), column.was_type),
      portmesh.compared_value(portmesh.as_compared(other, column, column.now_type), column.now_type) -%}
  {%- set differs = left ~ ' is distinct from ' ~ right -%}
  {%- set is_float = column.how == 'as_they_are' and 'double' in [column.was_type, column.now_type] -%}
  {%- set gap = 'abs(cast(' ~ one ~ ' as double) - ' ~ other ~ ')' -%}
  {%- set near = gap ~ ' <= ' ~ tolerance ~ ' * greatest(abs(' ~ one ~ '), abs(' ~ other ~ ')) and ' ~ gap
      ~ ' <= 1e308' -%}
  {{- return('(' ~ differs ~ ' and not coalesce(' ~ near ~ ', false))' if tolerance and is_float else differs) -}}
{% endmacro %}

{% macro _texts_of_key(key) %}
  {%- set texts = [] -%}
  {%- for column in key -%}
    {%- do texts.append(portmesh._text_of('key_' ~ loop.index, column, column.now_type)) -%}
  {%- endfor -%}
  {{- return(texts) -}}
{% endmacro %}

{% macro _text_of(value, column, type) %}
  {{- return('cast(null as ' ~ portmesh.engine_type('string') ~ ')' if column.is_hidden
      else portmesh.shown_value(value, type)) -}}
{% endmacro %}

{% macro _values_of(columns, key) %}
  {{- return(columns | rejectattr('name', 'in', key | map(attribute='name') | list) | list) -}}
{% endmacro %}

{% macro _numbered(prefix, columns) %}
  {%- set names = [] -%}
  {%- for _ in columns -%}{%- do names.append(prefix ~ loop.index) -%}{%- endfor -%}
  {{- return(names) -}}
{% endmacro %}

{% macro _named(results) %}
  {%- set named = [] -%}
  {%- for result in results -%}{%- do named.append(result ~ ' as result_' ~ loop.index) -%}{%- endfor -%}
  {{- return(named) -}}
{% endmacro %}
