{# The word that would end a transaction, if a statement in the text or its Jinja starts with one: after another
   statement, as the whole of a block, or as the argument of run_query and the like. Empty if there is none. #}
{% macro ends_a_transaction(code, text) %}
  {% set words = '(begin|start\\s+transaction|commit|rollback|abort)' %}
  {% if not modules.re.search('(?i)\\b' ~ words ~ '\\b', text) %}{{ return('') }}{% endif %}
  {% set run = '(?i)\\b(?:run_query|execute|add_query|query)\\s*\\(\\s*["\']\\s*' %}
  {% set in_code = modules.re.search(run ~ words ~ '\\b', code) %}
  {% set sql = modules.re.sub("(?s)'(?:''|[^'])*'|\\{#.*?#\\}|--[^\\n]*|/\\*.*?\\*/", '', text) %}
  {% set in_sql = modules.re.search('(?i)(?:;\\s*' ~ words ~ '\\b(?:\\s+(?:work|transaction))?\\s*(?:;|\\{%|$)'
      ~ '|%\\}\\s*' ~ words ~ '\\b(?:\\s+(?:work|transaction))?\\s*;?\\s*\\{%[-+]?\\s*end(?:call|set)\\b)', sql) %}
  {{ return((in_code.group(1) if in_code else in_sql.group(1) or in_sql.group(2) if in_sql else '') | lower) }}
{% endmacro %}
