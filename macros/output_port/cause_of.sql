{# The first of the engine's causes (causes_of_faults) whose pattern matches its error. An error that names a line in a
   statement is a mistake in that SQL, so only causes with `of_sql` can match it. #}
{% macro cause_of(message, causes) %}
  {% set said = portmesh._said_by_engine(message) %}
  {% set is_of_sql = modules.re.search('\\bline \\d+(:\\d+| pos \\d+)|== SQL\\b|\\bINVALID_\\w+_ARGUMENT\\b', said) %}
  {% for cause in causes if (cause.of_sql or not is_of_sql)
      and modules.re.search(cause.pattern, said, modules.re.IGNORECASE) %}
    {{ return(cause) }}
  {% endfor %}
  {{ return({'cause': 'see the error below; logs/dbt.log has its full text', 'remedy': 'fix what the error names'}) }}
{% endmacro %}

{# The error in the engine's own words. Removed are dbt's lines about the model, Java stack frames (with class names
   such as Timeout) and everything in quotes, because a domain's names and values may contain such words (cancelled_at).
   The first error of a session on Spark is itself in quotes, in the response of its Thrift server. #}
{% macro _said_by_engine(message) %}
  {% set of_dbt = '^\\s*(\\w+ )+(Error|Failure) in \\w+ .*\\)$|^\\s*compiled code at .*$' %}
  {% set of_java = '^\\s*(at [\\w.$/<>-]+\\(.*|\\.\\.\\. \\d+ more)$' %}
  {% set in_quotes = '"[^"\\n]*"|`[^`\\n]*`|(?<!\\w)\'[^\'\\n]*\'(?!\\w)' %}
  {% set response = modules.re.search('(?s)errorMessage=(["\'])(.*)\\1\\), operationHandle', message) %}
  {% set text = response.group(2) if response else message %}
  {% set said = modules.re.sub('(?m)' ~ of_dbt ~ '|' ~ of_java, '', text) %}
  {{ return(modules.re.sub(in_quotes, '', said)) }}
{% endmacro %}
