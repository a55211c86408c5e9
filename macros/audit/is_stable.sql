{# Whether a row that passes a check today passes it tomorrow: all that the check's SQL names is known to stay as it is. What
   is not on the list, a function of the user's, the clock, chance, another table, is taken as changing. #}
{% macro is_stable(port, check, arguments) %}
  {% if check.sql_arguments is none %}{{ return(false) }}{% endif %}
  {% set texts = [check.where or ''] %}
  {% set names = check.sql_arguments + (['values'] if check.kind == 'accepted_values' and arguments.get('quote') is sameas false else []) %}
  {% for name in names %}
    {% set value = arguments.get(name) or '' %}
    {% do texts.extend([value] if value is string or value is not iterable else value) %}
  {% endfor %}
  {% if check.kind == 'relationships' and (portmesh._refers_to_itself(port, arguments) or modules.re.search('\\W', arguments.field | string)) %}{{ return(false) }}{% endif %}
  {{ return(portmesh.is_stable_sql(port, texts | join(' '))) }}
{% endmacro %}

{# Whether `relationships` looks for the keys in the port's own rows. #}
{% macro _refers_to_itself(port, arguments) %}{{ return(arguments.to | string == port.relation | string) }}{% endmacro %}

{% macro is_stable_sql(port, text) %}
  {% set names = [] %}
  {% for column in port.columns %}{% do names.append(column.name | lower) %}{% endfor %}
  {# What begins or ends a text otherwise, a comment, and DuckDB's `(from t)` #}
  {% if modules.re.search("(?i)--|/\\*|\\\\'|\\$\\$|'\\s*(now|today|tomorrow|yesterday)\\s*'|\\(\\s*from\\b", text) %}{{ return(false) }}{% endif %}
  {% set word = '\'(?:[^\']|\'\')*\'|(?:["`]([^"`]*)["`]|([^\\W\\d][\\w.$]*))\\s*(\\(?)' %}
  {% for quoted, word, call in modules.re.findall(word, text) if quoted or word %}
    {% set name = (quoted or word) | lower %}
    {% set known = portmesh._stable_functions() + portmesh._words_before_brackets() if call else names if quoted else names + portmesh._stable_words() %}
    {% if name not in known or (quoted and call) %}{{ return(false) }}{% endif %}
  {% endfor %}
  {{ return(true) }}
{% endmacro %}

{# Functions of their arguments alone, of the same name and meaning on DuckDB, Spark or Trino. #}
{% macro _stable_functions() %}
  {{ return([
      'abs', 'ceil', 'ceiling', 'floor', 'round', 'sign', 'sqrt', 'power', 'pow', 'mod', 'exp', 'ln', 'greatest', 'least', 'coalesce',
      'nullif', 'ifnull', 'nvl', 'if', 'length', 'char_length', 'lower', 'upper', 'trim', 'ltrim', 'rtrim', 'substr', 'substring',
      'replace', 'concat', 'left', 'right', 'lpad', 'rpad', 'reverse', 'split_part', 'strpos', 'position', 'instr', 'starts_with',
      'ends_with', 'contains', 'regexp_matches', 'regexp_like', 'regexp_replace', 'regexp_extract', 'cast', 'try_cast', 'date_trunc',
      'date_part', 'extract', 'year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'date_diff', 'datediff',
      'isnan', 'is_nan', 'md5', 'sha256', 'xxhash64', 'decimal', 'numeric', 'varchar', 'char', 'timestamp', 'date',
  ]) }}
{% endmacro %}

{% macro _stable_words() %}
  {{ return(portmesh._words_before_brackets() + [
      'null', 'true', 'false', 'end', 'escape', 'from', 'interval', 'date', 'timestamp', 'time', 'year', 'quarter', 'month', 'week', 'day',
      'days', 'hour', 'hours', 'minute', 'second', 'int', 'integer', 'bigint', 'smallint', 'tinyint', 'double', 'float', 'real',
      'decimal', 'numeric', 'varchar', 'string', 'text', 'char', 'boolean', 'precision', 'distinct', 'unknown', 'e']) }}
{% endmacro %}

{% macro _words_before_brackets() %}
  {{ return(['and', 'or', 'not', 'in', 'is', 'between', 'like', 'ilike', 'rlike', 'case', 'when', 'then', 'else', 'as']) }}
{% endmacro %}
