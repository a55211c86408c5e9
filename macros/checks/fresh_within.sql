{% test fresh_within(model, column_name, count, period) %}
select newest from (select max({{ column_name }}) as newest from {{ model }}) as t where newest is null or newest < now()::timestamp - interval {{ count }} {{ period }}
{% endtest %}
