{% macro compile_check(port, check, relation, rows=none) %}
  {%- set kwargs = {} -%}
  {%- for name, value in check.kwargs.items() if name not in ['model', 'column_name'] -%}
    {%- do kwargs.update({name: portmesh._render_argument(port, value, relation)}) -%}
  {%- endfor -%}
  {%- if check.column -%}{%- do kwargs.update({'column_name': check.column}) -%}{%- endif -%}
  {%- set package = check.macro.split('.')[1] -%}
  {%- set test_macro = context[package]['test_' ~ check.kind] -%}
  {%- set sql = test_macro(model=rows or portmesh.filtered(relation, check.where), **kwargs) -%}
  {{- return(get_limit_subquery_sql(sql, check.limit)) -}}
{% endmacro %}

{% macro filtered(relation, where) %}
  {{- return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery' if where else relation) -}}
{% endmacro %}

{# As dbt renders a generic test's arguments: strings hold Jinja, ref() and source(), at any depth. #}
{% macro _render_argument(port, value, relation) %}
  {% if value is mapping %}
    {% set out = {} %}
    {% for k, v in value.items() %}{% do out.update({k: portmesh._render_argument(port, v, relation)}) %}{% endfor %}
    {{ return(out) }}
  {% elif value is sequence and value is not string %}
    {% set out = [] %}
    {% for v in value %}{% do out.append(portmesh._render_argument(port, v, relation)) %}{% endfor %}
    {{ return(out) }}
  {% elif value is string %}
    {{ return(portmesh._render_text(port, value, relation)) }}
  {% endif %}
  {{ return(value) }}
{% endmacro %}

{% macro _render_text(port, text, relation) %}
  {% set call = modules.re.match('^\\s*(?:\\{\\{)?\\s*((env_var|ref|var|source|doc)\\s*\\((?:(?!\\}\\}).)+\\))\\s*(?:\\}\\})?\\s*$', text) %}
  {% if call and call.group(2) in ['ref', 'source'] %}{{ return(portmesh._resolve(port, call, relation)) }}{% endif %}
  {% set expression = call.group(1) if call else (modules.re.findall('^\\s*\\{\\{((?:(?!\\}\\}).)*)\\}\\}\\s*$', text) | first) %}
  {% if expression %}{{ return(fromjson(render('{{ tojson(' ~ expression ~ ') }}'))) }}{% endif %}
  {{ return(portmesh._render_sentence(port, text, relation) if '{' in text else text) }}
{% endmacro %}

{# Text with Jinja in it, such as SQL with {{ ref('lines') }}. #}
{% macro _render_sentence(port, text, relation) %}
  {% set resolved = namespace(text=text) %}
  {% for call in modules.re.finditer('\\{\\{\\s*((ref|source)\\s*\\([^)]*\\))\\s*\\}\\}', text) %}
    {% set resolved.text = resolved.text | replace(call.group(0), portmesh._resolve(port, call, relation) | string) %}
  {% endfor %}
  {{ return(render(resolved.text)) }}
{% endmacro %}

{# A port that its own check names is read as the candidate; a name without a version is that of the latest. #}
{% macro _resolve(port, call, relation) %}
  {% set positional = modules.re.sub(',\\s*v(ersion)?\\s*=.*', '', call.group(1)) %}
  {% set names = modules.re.findall('[\'"]([^\'"]+)[\'"]', positional) %}
  {% if call.group(2) == 'source' %}{{ return(source(*names)) }}{% endif %}
  {% set version = modules.re.findall('\\bv(?:ersion)?\\s*=\\s*[\'"]?(\\w+)', call.group(1)) | first %}
  {% set is_port = names | last == port.node.name and (names | length == 1 or names[0] == port.product) %}
  {% if is_port and (version or port.node.latest_version) | string == port.node.version | string %}{{ return(relation) }}{% endif %}
  {{ return(ref(*names, v=version) if version else ref(*names)) }}
{% endmacro %}
