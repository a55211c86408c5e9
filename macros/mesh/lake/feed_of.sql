{# The feed that a source table reads on the local target; empty if its external_location is not landed('…'). #}
{% macro feed_of(source) %}
  {% set location = source.meta.get('external_location') or source.config.get('meta', {}).get('external_location') or '' %}
  {% set text = location.replace('{identifier}', source.identifier).replace('{name}', source.name) %}
  {{ return((modules.re.findall("landed\\('([A-Za-z0-9_-]+)'\\)", text) + [''])[0]) }}
{% endmacro %}
