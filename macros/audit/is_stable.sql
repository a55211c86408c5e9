{# Whether a row that passes a check today will also pass it tomorrow: true if the check's SQL uses only functions and
   words on the lists below. Anything else counts as changing: user-defined functions, the clock, random values, other
   tables. #}
{% macro is_stable(port, check) %}
  {% if check.sql_arguments is none %}{{ return(false) }}{% endif %}
  {% set arguments, texts = check.rendered, [check.where or ''] %}
  {% set are_sql = check.kind == 'accepted_values' and arguments.get('quote') is sameas false %}
  {% for name in check.sql_arguments + (['values'] if are_sql else []) %}
    {% set value = arguments.get(name) or '' %}
    {% do texts.extend([value] if value is string or value is not iterable else value) %}
  {% endfor %}
  {% if check.kind == 'relationships' %}
    {% set reads_a_column = not modules.re.search('\\W', arguments.field | string) %}
    {% if check.refers_to_itself or not reads_a_column %}{{ return(false) }}{% endif %}
  {% endif %}
  {{ return(portmesh._is_stable_sql(port, texts | join(' '))) }}
{% endmacro %}

{% macro _is_stable_sql(port, text) %}
  {% set columns = port.columns | map(attribute='name') | map('lower') | list %}
  {# Comments, unusual quotes, the words for the current time, and DuckDB's `(from t)`. #}
  {% set others = "(?i)--|/\\*|\\\\'|\\$\\$|'\\s*(now|today|tomorrow|yesterday)\\s*'|\\(\\s*from\\b" %}
  {% if modules.re.search(others, text) %}{{ return(false) }}{% endif %}
  {% set functions = portmesh._stable_functions() + portmesh._words_before_brackets() %}
  {% set words = columns + portmesh._stable_words() + portmesh._words_before_brackets() %}
  {% set word = '\'(?:[^\']|\'\')*\'|(?:["`]([^"`]*)["`]|([^\\W\\d][\\w.$]*))\\s*(\\(?)' %}
  {% for quoted, word, call in modules.re.findall(word, text) if quoted or word %}
    {% set known = [] if quoted and call else functions if call else columns if quoted else words %}
    {% if (quoted or word) | lower not in known %}{{ return(false) }}{% endif %}
  {% endfor %}
  {{ return(true) }}
{% endmacro %}

{# Functions that depend only on their arguments, with the same name and meaning on DuckDB, Spark or Trino. #}
{% macro _stable_functions() %}
  {{ return([
      'abs', 'ceil', 'ceiling', 'floor', 'round', 'sign', 'sqrt', 'power', 'pow', 'mod', 'exp', 'ln', 'greatest',
      'least', 'coalesce', 'nullif', 'ifnull', 'nvl', 'if', 'length', 'char_length', 'lower', 'upper', 'trim',
      'ltrim', 'rtrim', 'substr', 'substring', 'replace', 'concat', 'left', 'right', 'lpad', 'rpad', 'reverse',
      'split_part', 'strpos', 'position', 'instr', 'starts_with', 'ends_with', 'contains', 'regexp_matches',
      'regexp_like', 'regexp_replace', 'regexp_extract', 'cast', 'try_cast', 'date_trunc', 'date_part', 'extract',
      'year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'date_diff', 'datediff', 'isnan',
      'is_nan', 'md5', 'sha256', 'xxhash64', 'decimal', 'numeric', 'varchar', 'char', 'timestamp', 'date',
  ]) }}
{% endmacro %}

{% macro _stable_words() %}
  {{ return([
      'null', 'true', 'false', 'end', 'escape', 'from', 'interval', 'date', 'timestamp', 'time', 'year', 'quarter',
      'month', 'week', 'day', 'days', 'hour', 'hours', 'minute', 'second', 'int', 'integer', 'bigint', 'smallint',
      'tinyint', 'double', 'float', 'real', 'decimal', 'numeric', 'varchar', 'string', 'text', 'char', 'boolean',
      'precision', 'distinct', 'unknown', 'e',
  ]) }}
{% endmacro %}

{% macro _words_before_brackets() %}
  {{ return([
      'and', 'or', 'not', 'in', 'is', 'between', 'like', 'ilike', 'rlike', 'case', 'when', 'then', 'else', 'as']) }}
{% endmacro %}
