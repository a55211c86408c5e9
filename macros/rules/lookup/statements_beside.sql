{# [kind, SQL] of a node's hooks and sql_header, which runs before its statement, without the root's own hooks. #}
{% macro statements_beside(node, of_root) %}
  {% set found = [] %}
  {% for kind in ['pre-hook', 'post-hook'] %}
    {% for hook in node.config[kind] or [] %}
      {% do found.append([kind | replace('-', '_'), hook.sql | trim]) %}
    {% endfor %}
  {% endfor %}
  {% set header = node.config.sql_header %}
  {% if header %}{% do found.append(['sql_header', header | string | trim]) %}{% endif %}
  {% set others = [] %}
  {% for kind, sql in found if sql and sql not in of_root %}{% do others.append([kind, sql]) %}{% endfor %}
  {{ return(others) }}
{% endmacro %}
