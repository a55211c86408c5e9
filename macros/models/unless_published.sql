{# The end of a select from `landed` that leaves out batches that the port has published. #}
{% macro unless_published(relation) %}
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
