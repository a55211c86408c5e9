select * from {{ ref('int_shop__merge') }}
