{# The first of an engine's causes (causes_of_faults) that fits its error. What names a place in a statement is an error
   of that statement; so only a cause `of_sql` is told of it. #}
{% macro cause_of(message, causes) %}
  {% set said = portmesh._said_by_engine(message) %}
  {% set is_of_sql = modules.re.search('\\bline \\d+(:\\d+| pos \\d+)|== SQL\\b|\\bINVALID_\\w+_ARGUMENT\\b', said) %}
  {% for cause in causes if (cause.of_sql or not is_of_sql)
      and modules.re.search(cause.pattern, said, modules.re.IGNORECASE) %}
    {{ return(cause) }}
  {% endfor %}
  {{ return({'cause': 'see the error below, and the whole of it in logs/dbt.log', 'remedy': 'fix what it names'}) }}
{% endmacro %}

{# An error without dbt's lines on the model, the frames of a Java stack, whose classes have names such as
   Timeout, and what stands in quotes: names and values are those of a domain, which may have a column cancelled_at. #}
{% macro _said_by_engine(message) %}
  {% set of_dbt = '^\\s*(\\w+ )+(Error|Failure) in \\w+ .*\\)$|^\\s*compiled code at .*$' %}
  {% set of_java = '^\\s*(at [\\w.$/<>-]+\\(.*|\\.\\.\\. \\d+ more)$' %}
  {% set in_quotes = '"[^"\\n]*"|`[^`\\n]*`|(?<!\\w)\'[^\'\\n]*\'(?!\\w)' %}
  {% set said = modules.re.sub('(?m)' ~ of_dbt ~ '|' ~ of_java, '', message) %}
  {{ return(modules.re.sub(in_quotes, '', said)) }}
{% endmacro %}
