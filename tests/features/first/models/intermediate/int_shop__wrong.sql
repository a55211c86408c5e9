select sale_id, note from {{ ref('int_shop__noted') }}
