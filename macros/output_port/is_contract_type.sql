{# Whether a type exists on every engine, so that a contract can have it. #}
{% macro is_contract_type(type) %}
  {%- set plain = ['string', 'boolean', 'tinyint', 'smallint', 'int', 'bigint', 'double', 'date', 'timestamp'] -%}
  {{- return(type in plain or modules.re.match('^decimal\\(\\d+, ?\\d+\\)$', type or '') is not none) -}}
{% endmacro %}
