{# Text such as "the version of 25 Nov 06:14 UTC (1,234 rows)". #}
{% macro version_in_words(version) %}
  {{- return('the version of ' ~ version.attempted_at.strftime('%d %b %H:%M') ~ ' UTC ('
      ~ '{:,}'.format(version.row_count | int) ~ ' rows)') -}}
{% endmacro %}
