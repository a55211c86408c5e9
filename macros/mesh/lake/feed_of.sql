{# The feed that a source table reads on the local target; empty if its external_location is not landed('…'). #}
{% macro feed_of(source) %}
  {% set location = source.config.get('meta', {}).get('external_location') or source.meta.get('external_location') %}
  {% set text = (location or '').replace('{identifier}', source.identifier).replace('{name}', source.name) %}
  {{ return((modules.re.findall("landed\\('([A-Za-z0-9_-]+)'\\)", text) + [''])[0]) }}
{% endmacro %}
