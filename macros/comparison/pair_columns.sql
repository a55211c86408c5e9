{# The columns that two tables share, [{name, was_name, was_type, now_type, how, is_hidden}]. `how` is how two values
   are compared: `as_they_are`, `as_numbers` (decimals too different for one type), or `as_texts`. #}
{% macro pair_columns(was_columns, now_columns, hidden) %}
  {% set pairs, by_name = [], {} %}
  {% for column in was_columns %}{% do by_name.update({column.name | lower: column}) %}{% endfor %}
  {% for column in now_columns if column.name | lower in by_name %}
    {% set was = by_name[column.name | lower] %}
    {% do pairs.append({
        'name': column.name, 'was_name': was.name, 'was_type': was.data_type, 'now_type': column.data_type,
        'how': portmesh._how_compared(was.data_type, column.data_type),
        'is_hidden': column.name | lower in hidden}) %}
  {% endfor %}
  {{ return(pairs) }}
{% endmacro %}

{% macro _how_compared(was, now) %}
  {% set kinds = [portmesh._kind_of_type(was), portmesh._kind_of_type(now)] %}
  {% if was == now or (kinds[0] == kinds[1] and kinds[0] in ['number', 'time'] and portmesh._fits_one(was, now)) %}
    {{ return('as_they_are') }}
  {% endif %}
  {{ return('as_numbers' if kinds[0] == kinds[1] == 'number' else 'as_texts') }}
{% endmacro %}

{% macro _kind_of_type(type) %}
  {% set numbers = ['tinyint', 'smallint', 'int', 'bigint', 'float', 'real', 'double'] %}
  {% if type in numbers or type.startswith('decimal(') %}{{ return('number') }}{% endif %}
  {{ return('time' if type in ['date', 'timestamp'] else type) }}
{% endmacro %}

{# Whether one decimal of 38 digits holds all values of both types. #}
{% macro _fits_one(was, now) %}
  {% set whole, scale = [], [] %}
  {% for type in [was, now] if type.startswith('decimal(') %}
    {% set digits = type[8:-1].split(',') %}
    {% do whole.append(digits[0] | int - digits[1] | int) %}
    {% do scale.append(digits[1] | int) %}
  {% endfor %}
  {% set integers = {'tinyint': 3, 'smallint': 5, 'int': 10, 'bigint': 19} %}
  {% for type in [was, now] if type in integers %}{% do whole.append(integers[type]) %}{% endfor %}
  {{ return((whole | max if whole else 0) + (scale | max if scale else 0) <= 38) }}
{% endmacro %}
