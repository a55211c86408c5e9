{# The message that a feed has no batch. It names the source table that lands in the feed, if there is one. #}
{% macro no_batch(feed) %}
  {% set found = [] %}
  {% for source in graph.sources.values() if portmesh.feed_of(source) == feed %}
    {% do found.append(source.source_name ~ '.' ~ source.name) %}
  {% endfor %}
  {% set name = found[0] if found else feed %}
  {{ return(
      'The lake has no batch of ' ~ name ~ '.\n\n  where   ' ~ portmesh.lake_folder() ~ '/' ~ feed
      ~ '\n  next    portmesh land ' ~ name ~ ' FILE, then dbt build') }}
{% endmacro %}
