{# PM109: sources are for data from outside the mesh. What a domain builds is read with ref(), which the rules see. #}
{% macro source_is_outside_the_mesh(mesh) %}
  {% set findings = [] %}
  {% set owners = portmesh._owners_by_schema(mesh) %}
  {% for source in mesh.sources %}
    {% set owner = portmesh._owner_of_source(mesh, owners, source) %}
    {% if owner and not (owner == 'portmesh' and source.package_name == 'platform') %}
      {% set own = owner == source.package_name %}
      {% do findings.append(portmesh.finding('PM109', source,
          'The source ' ~ source.source_name ~ '.' ~ source.name ~ ' of ' ~ source.package_name ~ ' is a table of '
          ~ ('the records, which only platform may read' if owner == 'portmesh' else 'the domain ' ~ owner)
          ~ ' (' ~ source.schema ~ '.' ~ source.identifier ~ ').',
          'Read an output port of platform' if owner == 'portmesh' else 'Read it with ref()' if own else
          'Read an output port of ' ~ owner ~ " with ref('" ~ owner ~ "', '<port>')")) %}
    {% endif %}
  {% endfor %}
  {{ return(findings) }}
{% endmacro %}

{# {schema: owner}. Each schema appears under two names: production's and this environment's. #}
{% macro _owners_by_schema(mesh) %}
  {% set owners = {} %}
  {% for owner in mesh.domains.keys() | list + mesh.unread | list + ['portmesh'] %}
    {% for schema in [owner, owner ~ '__internal'] %}
      {% do owners.update({schema | lower: owner, portmesh.environment_schema(schema) | lower: owner}) %}
    {% endfor %}
  {% endfor %}
  {{ return(owners) }}
{% endmacro %}

{% macro _owner_of_source(mesh, owners, source) %}
  {% set schema = source.schema | string | lower | replace('"', '') | replace('`', '') %}
  {% set table = source.identifier | string | lower | replace('"', '') | replace('`', '') %}
  {% if schema in owners %}{{ return(owners[schema]) }}{% endif %}
  {% set maker = mesh.relations.get(schema ~ '.' ~ table) %}
  {% if maker %}{{ return(maker.package_name) }}{% endif %}
  {# A table of another environment, such as pr_12__orders.order_lines. #}
  {% set unprefixed = schema.split('__', 1) | last %}
  {% if unprefixed in owners and portmesh.environment_schema(unprefixed) ~ '.' ~ table in mesh.relations %}
    {{ return(owners[unprefixed]) }}
  {% endif %}
  {# dbt-duckdb reads a source from its external_location, whatever schema it declares. #}
  {% set location = portmesh.meta_of(source).get('external_location')
      or (source.external or {}).get('location') or '' %}
  {% for word in modules.re.findall('(\\w+)"?\\s*\\.', location | lower) if word in owners %}
    {{ return(owners[word]) }}
  {% endfor %}
  {{ return('') }}
{% endmacro %}
