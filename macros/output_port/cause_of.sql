{# The first of an engine's causes (causes_of_faults) that fits its error. The frames of a Java stack are no part of
   what the error says: the names of their classes hold words such as Timeout. #}
{% macro cause_of(message, causes) %}
  {% set said = modules.re.sub('(?m)^\\s*(at [\\w.$/<>-]+\\(.*|\\.\\.\\. \\d+ more)$', '', message) %}
  {% for cause in causes if modules.re.search(cause.pattern, said, modules.re.IGNORECASE) %}
    {{ return(cause) }}
  {% endfor %}
  {{ return({'cause': 'see the error below, and the whole of it in logs/dbt.log', 'remedy': 'fix what it names'}) }}
{% endmacro %}
