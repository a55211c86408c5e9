{# Prints one line of JSON with the environments of the target's database: their schemas with the number of tables, the
   rows of their ports, and when something was built. An environment is known by its schema of records. Schemas with its
   prefix that are of no domain, known or recorded, are not the mesh's; they are listed as foreign. #}
{% macro environments() %}
  {% set schemas, found, end = portmesh.existing_schemas(), [], '__portmesh' %}
  {% for schema in schemas | sort if schema == 'portmesh' or schema.endswith(end) %}
    {% set name = 'prod' if schema == 'portmesh' else schema.removesuffix(end) %}
    {% if '__' not in name and name %}{% do found.append(portmesh._environment(name, schema, schemas)) %}{% endif %}
  {% endfor %}
  {% set place = {'target': target.name, 'engine': target.type, 'current': target.schema} %}
  {% do print(tojson(dict(place, environments=found))) %}
{% endmacro %}

{% macro _environment(name, records, schemas) %}
  {% set prefix, own, products = '' if name == 'prod' else name ~ '__', {}, portmesh._products_of(records) %}
  {% for product in products + ['portmesh'] %}
    {% for schema in [prefix ~ product, prefix ~ product ~ '__internal'] if schema in schemas %}
      {% do own.update({schema: portmesh.tables_in(schema) | length}) %}
    {% endfor %}
  {% endfor %}
  {% set foreign = [] %}
  {% for schema in schemas if prefix and schema.startswith(prefix) and schema not in own %}
    {% do foreign.append(schema) %}
  {% endfor %}
  {% set held = {'name': name, 'schemas': own, 'foreign': foreign, 'bytes': portmesh._bytes_of(own.keys())} %}
  {{ return(dict(held, **portmesh._built_in(records))) }}
{% endmacro %}

{# The bytes of the blocks that DuckDB's tables in these schemas use. On Spark and Athena, the kit adds up files. #}
{% macro _bytes_of(schemas) %}
  {% if target.type != 'duckdb' %}{{ return(0) }}{% endif %}
  {% set blocks = [] %}
  {% for schema, table in portmesh.query('select schema_name, table_name from duckdb_tables()').rows %}
    {% if schema in schemas %}
      {% set name = api.Relation.create(schema=schema, identifier=table) %}
      {% do blocks.append('select block_id from pragma_storage_info(' ~ portmesh.text_literal(name | string)
          ~ ') where persistent and block_id >= 0') %}
    {% endif %}
  {% endfor %}
  {% if not blocks %}{{ return(0) }}{% endif %}
  {% set query = 'select count(distinct block_id) from (' ~ blocks | join(' union all ') ~ ') as used' %}
  {% set block_size = portmesh.query('select block_size from pragma_database_size() limit 1').rows[0][0] %}
  {{ return((portmesh.query(query).rows[0][0] * block_size) | int) }}
{% endmacro %}

{# The domains of the mesh, and those with records in this schema, which may no longer exist. #}
{% macro _products_of(records) %}
  {% set found = portmesh.read_mesh().domains.keys() | map('lower') | list %}
  {% for table in portmesh.tables_in(records) if table.startswith('publications__') %}
    {% do found.append(table.removeprefix('publications__')) %}
  {% endfor %}
  {{ return(found | unique | list) }}
{% endmacro %}

{# {ports, rows, last_built_at} by the records in a schema. #}
{% macro _built_in(records) %}
  {% set selects = [] %}
  {% for table in portmesh.tables_in(records) if table.startswith('publications__') %}
    {% set relation = api.Relation.create(database=target.get('database'), schema=records, identifier=table) %}
    {% do selects.append('select reads_as, attempted_at, verdict, row_count from ' ~ relation) %}
  {% endfor %}
  {% if not selects %}{{ return({'ports': 0, 'rows': 0, 'last_built_at': none}) }}{% endif %}
  {% set query %}
    select count(*) as ports, sum(row_count) as row_count, max(last_at) as last_at from (
      select row_count, max(attempted_at) over () as last_at, verdict,
        row_number() over (partition by reads_as, verdict order by attempted_at desc) as place
      from ({{ selects | join(' union all ') }}) as recorded
    ) as ranked
    where place = 1 and verdict = 'published'
  {% endset %}
  {% set row = portmesh.query(query).rows[0] %}
  {% set at = row[2].isoformat() if row[2] else none %}
  {{ return({'ports': row[0] | int, 'rows': (row[1] or 0) | int, 'last_built_at': at}) }}
{% endmacro %}
