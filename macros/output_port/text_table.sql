{# Rows as aligned text under headers. Each cell goes through `printable`, because it may come from data, such as the
   name of a pivoted column. #}
{% macro text_table(headers, rows) %}
  {%- set texts = [] -%}
  {%- for row in [headers] + rows -%}
    {%- set cells = [] -%}
    {%- for cell in row -%}{%- do cells.append(portmesh.printable(cell | string, 1000)) -%}{%- endfor -%}
    {%- do texts.append(cells) -%}
  {%- endfor -%}
  {%- set widths = [] -%}
  {%- for i in range(headers | length) -%}
    {%- do widths.append(texts | map(attribute=i) | map('length') | max) -%}
  {%- endfor -%}
  {%- set lines = [] -%}
  {%- for row in texts -%}
    {%- set cells = [] -%}
    {%- for i in range(headers | length) -%}{%- do cells.append(row[i].ljust(widths[i])) -%}{%- endfor -%}
    {%- do lines.append(('  ' ~ cells | join('   ')).rstrip()) -%}
  {%- endfor -%}
  {{- return(lines | join('\n')) -}}
{% endmacro %}
