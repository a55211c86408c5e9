{# The first of the engine's causes (causes_of_faults) whose pattern matches its error. An error that names a line in a
   statement is a mistake in that SQL, so only causes with `of_sql` can match it. #}
{% macro cause_of(message, causes) %}
  {% set said = portmesh.said_by_engine(message) %}
  {% set is_of_sql = modules.re.search('\\bline \\d+(:\\d+| pos \\d+)|== SQL\\b|\\bINVALID_\\w+_ARGUMENT\\b', said) %}
  {% for cause in causes if (cause.of_sql or not is_of_sql)
      and modules.re.search(cause.pattern, said, modules.re.IGNORECASE) %}
    {{ return(cause) }}
  {% endfor %}
  {{ return({'cause': 'see the error below; logs/dbt.log has its full text', 'remedy': 'fix what the error names'}) }}
{% endmacro %}
