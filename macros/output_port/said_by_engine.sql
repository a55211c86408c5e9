{# The error in the engine's own words. Removed are dbt's lines about the model, Java stack frames (with class names
   such as Timeout) and everything in quotes, because a domain's names and values may contain such words (cancelled_at).
   The first error of a session on Spark is itself in quotes, in the response of its Thrift server. #}
{% macro said_by_engine(message) %}
  {% set of_dbt = '^\\s*(\\w+ )+(Error|Failure) in \\w+ .*\\)$|^\\s*compiled code at .*$' %}
  {% set of_java = '^\\s*(at [\\w.$/<>-]+\\(.*|\\.\\.\\. \\d+ more)$' %}
  {% set in_quotes = '"[^"\\n]*"|`[^`\\n]*`|(?<!\\w)\'[^\'\\n]*\'(?!\\w)' %}
  {% set response = modules.re.search('(?s)errorMessage=(["\'])(.*)\\1\\), operationHandle', message) %}
  {% set text = response.group(2) if response else message %}
  {% set said = modules.re.sub('(?m)' ~ of_dbt ~ '|' ~ of_java, '', text) %}
  {{ return(modules.re.sub(in_quotes, '', said)) }}
{% endmacro %}
