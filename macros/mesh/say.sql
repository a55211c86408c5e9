{# Says what a run has found out, in its log. With --quiet, dbt hides the log's messages, but shows what is printed. #}
{% macro say(text) %}
  {% if flags.QUIET %}{% do print(text) %}{% else %}{% do log(text, info=true) %}{% endif %}
{% endmacro %}
