{# PM127: no two source tables land in one feed, because each would read the other's rows. #}
{% macro source_has_its_own_feed(mesh) %}
  {% set findings, first = [], {} %}
  {% for source in mesh.sources | sort(attribute='unique_id') if portmesh.meta_of(source).get('landing') is mapping %}
    {% set feed = source.identifier | lower %}
    {% set other = first.setdefault(feed, source) %}
    {% if other.unique_id != source.unique_id %}
      {% do findings.append(portmesh.finding('PM127', source,
          'The source table ' ~ source.source_name ~ '.' ~ source.name ~ ' of ' ~ source.package_name
          ~ ' lands in the feed ' ~ feed ~ ', as does ' ~ other.source_name ~ '.' ~ other.name ~ ' of '
          ~ other.package_name ~ ', so each would read the rows of both.',
          'Give it an identifier of its own (identifier: ' ~ source.source_name ~ '__' ~ source.name ~ ')')) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}
