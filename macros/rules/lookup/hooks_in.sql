{# The SQL of all hooks that a dbt_project.yml sets for models, seeds and snapshots, in any folder. #}
{% macro hooks_in(project) %}
  {% set texts = [] %}
  {% for section in [project.models, project.seeds, project.snapshots] %}
    {% for key in ['pre-hook', 'post-hook', 'pre_hook', 'post_hook', 'sql_header'] %}
      {% for value in portmesh.config_values(section, key) %}
        {% for hook in (value if value is sequence and value is not string and value is not mapping else [value]) %}
          {% do texts.append((hook.sql if hook is mapping else hook) | string | trim) %}
        {% endfor %}
      {% endfor %}
    {% endfor %}
  {% endfor %}
  {{ return(texts) }}
{% endmacro %}
