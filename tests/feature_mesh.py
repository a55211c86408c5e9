"""The mesh of tests/features, which uses all of dbt's features except ports. It is built, changed and built again."""

from __future__ import annotations

import shutil

import boto3

from tests.mesh import REPOSITORY, Mesh, Outcome
from tests.test_output_port import COLUMNS, EXEMPT

FIRST = """
select * from (values
    (1, date '2024-01-01', 10.0), (2, date '2024-01-02', 20.0), (3, date '2024-01-02', 30.0)
) t(sale_id, day, amount)
"""
# Sale 1 is corrected, sale 2 moves to a later day, sale 3 is deleted, and two sales are new.
SECOND = """
select * from (values
    (1, date '2024-01-01', 99.0), (2, date '2024-01-03', 21.0), (4, date '2024-01-02', 40.0),
    (5, date '2024-01-04', 50.0)
) t(sale_id, day, amount)
"""
LANDED = {"landed_an_hour_ago": "1 hour", "landed_yesterday": "30 hours", "landed_last_week": "7 days"}
HOOK = "insert into raw.hooks select {}, count(*) from raw.sales"

PORT = """
{{ config(persist_docs={'relation': true, 'columns': true}) }}
select
  sale_id as line_id,
  cast('web' as {{ dbt.type_string() }}) as channel,
  amount,
  changed_at as landed_at
from {{ ref('stg_raw__sales') }}
"""
PERIOD = ["--event-time-start", "2024-01-01", "--event-time-end", "2024-01-05"]


def lay_out(mesh: Mesh, environment: str = "prod") -> None:
    """Write the project, with its first models."""
    hooks = {
        "on-run-start": ["{{ check_rules() }}", "{{ create_records() }}", HOOK.format(1)],
        "on-run-end": [HOOK.format(4), "{{ log('results: ' ~ results | length, info=true) }}"],
    }
    mesh.set_up("shop", environment=environment, root=hooks)
    mesh.port("shop/lines", PORT, COLUMNS.replace("The key.", '"It\'s the key; C:\\\\path."'), meta=EXEMPT)
    overlay(mesh, "first")
    mesh.write("domains/shop/seeds/many.csv", "id,name\n" + "".join(f"{i},name {i}\n" for i in range(12_345)))


def overlay(mesh: Mesh, version: str) -> None:
    """Replace the domain's files by those of another version."""
    shutil.copytree(REPOSITORY / "tests/features" / version, mesh.folder / "domains/shop", dirs_exist_ok=True)


def land_first(mesh: Mesh) -> None:
    """Fill the source tables."""
    mesh.land("sales", FIRST)
    mesh.land("hooks", "select 0::bigint as step, 0::bigint as n")
    for table, age in LANDED.items():
        mesh.land(table, f"select 1 as id, now()::timestamp - interval '{age}' as landed_at")


def build(mesh: Mesh, *arguments: str) -> Outcome:
    """Build everything, with microbatches of the first days of 2024."""
    return mesh.dbt("build", *PERIOD, *arguments)


def descriptions(mesh: Mesh, relation: str) -> dict[str, str | None]:
    """The descriptions of a relation and its columns, by name, from DuckDB or Glue."""
    schema, name = relation.split(".")
    if mesh.target == "local":
        return dict(
            mesh.rows(f"""
                select '{relation}', comment
                from (select table_name, comment from duckdb_tables() where schema_name = '{schema}'
                    union all select view_name, comment from duckdb_views() where schema_name = '{schema}')
                where table_name = '{name}'
                union all
                select column_name, comment from duckdb_columns()
                where schema_name = '{schema}' and table_name = '{name}'
            """)
        )
    table = boto3.client("glue").get_table(DatabaseName=schema, Name=name)["Table"]
    columns = {column["Name"]: column.get("Comment") for column in table["StorageDescriptor"]["Columns"]}
    return {relation: table.get("Description")} | columns
