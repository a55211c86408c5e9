{# The code of a text's blocks and expressions, without Jinja's comments and raw blocks; braces within braces count, as in
   Jinja's own lexer. What stands outside is SQL and none of this code. #}
{% macro jinja_code(text) %}
  {%- set string = '"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'' -%}
  {%- set inner = namespace(braces='(?:' ~ string ~ '|[^\'"{}])*') -%}
  {%- for _ in range(4) -%}
    {%- set inner.braces = '(?:' ~ string ~ '|[^\'"{}]|\\{' ~ inner.braces ~ '\\})*' -%}
  {%- endfor -%}
  {%- set blocks = '(?s)\\{#.*?#\\}|\\{%[-+]?\\s*raw\\s*[-+]?%\\}.*?\\{%[-+]?\\s*endraw\\s*[-+]?%\\}|\\{\\{(' ~ inner.braces
      ~ ')\\}\\}|\\{%((?:' ~ string ~ '|(?!%\\}).)*)%\\}|\\{\\{(.*?)\\}\\}' -%}
  {%- set found = [] -%}
  {%- for groups in modules.re.findall(blocks, text or '') -%}{%- do found.append(groups | join) -%}{%- endfor -%}
  {{- return(found | join('\n')) -}}
{% endmacro %}

{# The same code with its string literals emptied: what is left is names, numbers and operators. #}
{% macro without_strings(code) %}
  {{- return(modules.re.sub('"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'', "''", code)) -}}
{% endmacro %}
