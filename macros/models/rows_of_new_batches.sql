{# A select of the rows of all batches that are not published yet, or of all rows if the model is not incremental. The
   variable PORTMESH_BATCHES, a JSON list, limits it to some of them (portmesh backfill). #}
{% macro rows_of_new_batches(relation) -%}
{%- set batches = portmesh.chosen_batches() -%}
select landed.*
from {{ relation }} as landed
{%- if is_incremental() %}{{ portmesh.unless_published(relation) }}{% endif %}
{%- if batches %}
{{ 'and' if is_incremental() else 'where' }} landed._batch_id in {{ portmesh.literal_row(batches) }}
{%- endif %}
{%- endmacro %}
