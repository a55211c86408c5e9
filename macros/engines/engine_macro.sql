{# The macro of the target's engine for a door of interface.sql, or for what the engine's own files ask:
   <type>__<name>, or, where Spark and Athena do the same, iceberg__<name>. One that is missing is an error, never
   another engine's. #}
{% macro engine_macro(name) %}
  {% set macros, own = context['portmesh'], target.type ~ '__' ~ name %}
  {% set shared = macros.get('iceberg__' ~ name) if target.type in ['spark', 'athena'] else none %}
  {% set found = macros.get(own) or shared %}
  {% if not found %}
    {% do exceptions.raise_compiler_error(
        'The engine ' ~ target.type ~ ' does not give the macro ' ~ name ~ '.\n\n  next   add ' ~ own
        ~ ' to macros/engines/' ~ target.type ~ '/ (macros/engines/interface.sql says what it does)') %}
  {% endif %}
  {{ return(found) }}
{% endmacro %}
