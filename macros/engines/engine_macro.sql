{# The engine's own macro for a macro of interface.sql, or for a name that the engine's files share: <type>__<name>, or
   iceberg__<name> if Spark and Athena do the same. If it is missing, this raises; it never uses another engine's. #}
{% macro engine_macro(name) %}
  {% set macros, own = context['portmesh'], target.type ~ '__' ~ name %}
  {% set shared = macros.get('iceberg__' ~ name) if target.type in ['spark', 'athena'] else none %}
  {% set found = macros.get(own) or shared %}
  {% if not found %}
    {% do exceptions.raise_compiler_error(
        'The engine ' ~ target.type ~ ' has no macro ' ~ name ~ '.\n\n  next   add ' ~ own
        ~ ' to macros/engines/' ~ target.type ~ '/ (macros/engines/interface.sql says what it does)') %}
  {% endif %}
  {{ return(found) }}
{% endmacro %}
