{# A sentence that says which version consumers read, or that there is none. #}
{% macro what_consumers_see(current, verb='read') %}
  {%- if not current -%}{{- return('It has no published version yet, so consumers see nothing.') -}}{%- endif -%}
  {{- return('Consumers ' ~ verb ~ ' ' ~ portmesh.version_in_words(current) ~ '.') -}}
{% endmacro %}
