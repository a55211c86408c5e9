{# true or false if an SQL condition has that value for every row, such as `1 = 0` or `true or x > 1`; none if it
   depends on the rows or is too complex to tell. #}
{% macro constant_of(condition) %}
  {% set text = condition | string | lower | trim if condition is not none else '' %}
  {% if modules.re.match('\\([^()]*\\)$', text) %}{{ return(portmesh.constant_of(text[1:-1])) }}{% endif %}
  {% if modules.re.search('[\'"(;]|--|\\bcase\\b', text) %}{{ return(none) }}{% endif %}
  {% for word, decides in {'or': true, 'and': false}.items() %}
    {% set parts = modules.re.split('\\s+' ~ word ~ '\\s+', text) %}
    {% if parts | length > 1 %}
      {% set values = [] %}
      {% for part in parts %}{% do values.append(portmesh.constant_of(part)) %}{% endfor %}
      {{ return(decides if decides in values else none if none in values else not decides) }}
    {% endif %}
  {% endfor %}
  {% if text.startswith('not ') %}
    {% set other = portmesh.constant_of(text[4:]) %}
    {{ return(none if other is none else not other) }}
  {% endif %}
  {% if text in ['true', 'false', 'null'] %}{{ return(text == 'true') }}{% endif %}
  {% set compared = modules.re.match('(-?\\d+(?:\\.\\d+)?)\\s*(=|==|!=|<>|<=|>=|<|>)\\s*(-?\\d+(?:\\.\\d+)?)$', text) %}
  {% if not compared %}{{ return(none) }}{% endif %}
  {% set left, operator, right = compared.group(1) | float, compared.group(2), compared.group(3) | float %}
  {{ return({'=': left == right, '==': left == right, '!=': left != right, '<>': left != right,
      '<=': left <= right, '>=': left >= right, '<': left < right, '>': left > right}[operator]) }}
{% endmacro %}
