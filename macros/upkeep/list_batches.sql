{# Prints, as one line of JSON, the batches that a port's model can take: [{batch, landed_at, is_published}], in the
   order in which they landed. `taken` are the relations, as SQL, that its model takes batch by batch. For `portmesh
   backfill`, after the models before the port are built. #}
{% macro list_batches(port, taken) %}
  {% set port = portmesh.find_port(port) %}
  {% set selects, batches = [], [] %}
  {% for relation in taken %}
    {% do selects.append('select distinct _batch_id, _landed_at from ' ~ relation) %}
  {% endfor %}
  {% set this = load_relation(port.relation) %}
  {% set names = portmesh.table_columns(port.relation) | map(attribute='name') | list if this else [] %}
  {% set published = 'select distinct _batch_id, _landed_at from ' ~ port.relation if '_batch_id' in names
      else 'select _batch_id, _landed_at from landed where 1 = 0' %}
  {% set query %}
    with landed as ({{ selects | join('\nunion\n') }}), published as ({{ published }})
    select landed._batch_id, landed._landed_at, count(published._batch_id) as times
    from landed left join published
      on landed._batch_id = published._batch_id and landed._landed_at = published._landed_at
    group by landed._batch_id, landed._landed_at
    order by landed._landed_at, landed._batch_id
  {% endset %}
  {% for batch, landed_at, times in (portmesh.query(query).rows if selects else []) %}
    {% do batches.append({
        'batch': batch | string, 'landed_at': landed_at.isoformat(), 'is_published': times | int > 0}) %}
  {% endfor %}
  {% do print(tojson(batches)) %}
{% endmacro %}
