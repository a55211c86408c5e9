{# A select of the rows of all batches that are not published yet, or of all rows if the model is not incremental. The
   variable PORTMESH_BATCHES, a JSON list, limits it to some of them (portmesh backfill). #}
{% macro rows_of_new_batches(relation) -%}
{%- set batches = portmesh.chosen_batches() -%}
select landed.*
from {{ relation }} as landed
{%- if is_incremental() %}{{ portmesh._unless_published(relation) }}{% endif %}
{%- if batches %}
{{ 'and' if is_incremental() else 'where' }} landed._batch_id in {{ portmesh.literal_row(batches) }}
{%- endif %}
{%- endmacro %}

{% macro _unless_published(relation) %}
inner join (
    select distinct
        _batch_id,
        _landed_at
    from {{ relation }}
) as landed_batches
    on
        landed._batch_id = landed_batches._batch_id
        and landed._landed_at = landed_batches._landed_at
left join (
    select distinct
        _batch_id,
        _landed_at
    from {{ this }}
) as published_batches
    on
        landed_batches._batch_id = published_batches._batch_id
        and landed_batches._landed_at = published_batches._landed_at
where published_batches._batch_id is null
{%- endmacro %}
