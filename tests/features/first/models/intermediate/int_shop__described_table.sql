{{ config(materialized='table', incremental_strategy='append', persist_docs={'relation': true, 'columns': true}) }}

select 1 as one, 2 as two
