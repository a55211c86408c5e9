{% macro text_table(headers, rows) %}
  {%- set widths = [] -%}
  {%- for i in range(headers | length) -%}
    {%- set cells = [headers[i] | length] -%}
    {%- for row in rows -%}{%- do cells.append(row[i] | string | length) -%}{%- endfor -%}
    {%- do widths.append(cells | max) -%}
  {%- endfor -%}
  {%- set lines = [] -%}
  {%- for row in [headers] + rows -%}
    {%- set cells = [] -%}
    {%- for i in range(headers | length) -%}{%- do cells.append((row[i] | string).ljust(widths[i])) -%}{%- endfor -%}
    {%- do lines.append(('  ' ~ cells | join('   ')).rstrip()) -%}
  {%- endfor -%}
  {{- return(lines | join('\n')) -}}
{% endmacro %}
