{# The code inside a text's {{ }} and {% %}, without Jinja comments and raw blocks. Handles braces nested up to five
   deep, as Jinja's own lexer does; beyond that, it returns all the rest as code. #}
{% macro jinja_code(text) %}
  {%- set string = '"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'' -%}
  {%- set inner = namespace(braces='(?:' ~ string ~ '|[^\'"{}])*') -%}
  {%- for _ in range(4) -%}
    {%- set inner.braces = '(?:' ~ string ~ '|[^\'"{}]|\\{' ~ inner.braces ~ '\\})*' -%}
  {%- endfor -%}
  {%- set blocks = '(?s)\\{#.*?#\\}|\\{%[-+]?\\s*raw\\s*[-+]?%\\}.*?\\{%[-+]?\\s*endraw\\s*[-+]?%\\}'
      ~ '|\\{\\{(' ~ inner.braces
      ~ ')\\}\\}|\\{%((?:' ~ string ~ '|(?!%\\}).)*)%\\}|\\{\\{(.*)' -%}
  {%- set found = [] -%}
  {%- for groups in modules.re.findall(blocks, text or '') -%}{%- do found.append(groups | join) -%}{%- endfor -%}
  {{- return(found | join('\n')) -}}
{% endmacro %}
