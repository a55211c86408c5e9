{# Whether a check lets no row break what it says: then it stands for a constraint, and a page may call its columns the
   key. One that warns, looks at some of the rows or counts otherwise does not. #}
{% macro allows_no_failure(check) %}
  {{ return(check.severity == 'error' and not check.where and check.error_if == '!= 0' and check.fail_calc == 'count(*)'
      and check.limit is none and check.macro.split('.')[1] in ['dbt', 'portmesh']) }}
{% endmacro %}
