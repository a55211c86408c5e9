{# Whether every row must pass the check. Such a check is as strict as a constraint, and the catalog may call its
   columns the key. False for a check that only warns, looks at part of the rows or counts differently. #}
{% macro allows_no_failure(check) %}
  {{ return(check.severity == 'error' and not check.where and check.error_if == '!= 0' and check.fail_calc == 'count(*)'
      and check.limit is none and check.is_of_mesh) }}
{% endmacro %}
