"""What lineage predicts, against what happens: values of a column are changed, random queries run on DuckDB again.

Every column of a result whose values change must have been predicted: the changed column is one of its inputs, or it
influences the rows of the query.
"""

from __future__ import annotations

import random

import duckdb
import pytest

from portmesh.lineage import Column, NodeLineage, read_lineage
from tests.random_queries import TABLES, Queries
from tests.sql_manifest import manifest, model, source

Rows = dict[str, list[str]]


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    """The values of each column of a result, sorted."""
    result = connection.execute(sql)
    names = [each[0].lower() for each in result.description]
    found: Rows = {name: [] for name in names}
    for row in result.fetchall():
        for name, value in zip(names, row, strict=True):
            found[name].append(repr(value))
    return {name: sorted(values) for name, values in found.items()}


def fill_tables(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    chosen = random.Random(seed)
    for table, columns in TABLES.items():
        connection.execute(f"create or replace table {table} ({', '.join(f'{column} int' for column in columns)})")
        rows = [[chosen.choice([0, 1, 2, 3, None]) for _ in columns] for _ in range(10)]
        connection.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", rows)


def predicted(sql: str, are_listed: bool) -> NodeLineage:
    relation = '"memory"."main"."{}"'
    if are_listed:
        tables = [
            model(f"main.{table}", "", contract=dict.fromkeys(columns, "int"), relation_name=relation.format(table))
            for table, columns in TABLES.items()
        ]
    else:
        tables = [source(f"main.{table}", relation_name=relation.format(table)) for table in TABLES]
    ids = [id_ for each in tables for id_ in each]
    return read_lineage(manifest(*tables, model("shop.asked", sql, ids))).nodes["model.shop.asked"]


def changed(before: Rows, after: Rows) -> list[str]:
    return [name for name, values in before.items() if after[name] != values]


def is_predicted(node: NodeLineage, table: str, column: str, output: str) -> bool:
    found = node.column(output)
    assert found
    every = {(each.node.rpartition(".")[2], each.name) for each in (*found.inputs, *node.influencing)}
    return (table, column) in every or (table, "*") in every


def compare(seed: int) -> int:
    """Compare one query; returns how many columns changed. A query that DuckDB refuses counts as none."""
    connection = duckdb.connect(config={"threads": 1})
    fill_tables(connection, seed)
    sql = Queries(seed).query()
    try:
        before = rows_of(connection, sql)
    except duckdb.Error:
        return 0
    listed, unlisted = predicted(sql, are_listed=True), predicted(sql, are_listed=False)
    assert (listed.unknown, list(listed.columns)) == ("", list(before)), sql
    seen = 0
    for table, columns in TABLES.items():
        connection.execute(f"create or replace temp table kept as select * from {table}")
        for column in columns:
            changes = random.Random(f"{seed} {column}").choice(["9", f"(coalesce({column}, 3) * 7 + rowid) % 5"])
            connection.execute(f"update {table} set {column} = {changes}")
            for output in changed(before, rows_of(connection, sql)):
                seen += 1
                assert is_predicted(listed, table, column, output), (table, column, output, sql)
                assert is_predicted(unlisted, table, column, output), (table, column, output, sql)
            connection.execute(f"delete from {table}")
            connection.execute(f"insert into {table} select * from kept")
    return seen


def test_every_change_of_a_result_is_predicted() -> None:
    assert sum(compare(seed) for seed in range(15)) > 50


@pytest.mark.parametrize("seed", [3796, 3951], ids=["a column is replaced", "a semi join hides its table"])
def test_what_was_once_missed_is_predicted(seed: int) -> None:
    assert compare(seed) > 0


@pytest.mark.thorough
def test_every_change_of_many_results_is_predicted() -> None:
    assert sum(compare(seed) for seed in range(1000, 1100)) > 500


@pytest.mark.nightly
@pytest.mark.parametrize("start", range(2000, 4000, 250))
def test_every_change_of_two_thousand_results_is_predicted(start: int) -> None:
    assert sum(compare(seed) for seed in range(start, start + 250)) > 1000


def test_a_change_that_was_not_predicted_is_found() -> None:
    node = predicted("select a from main.t1 where k > 0", are_listed=True)
    assert is_predicted(node, "t1", "a", "a")
    assert is_predicted(node, "t1", "k", "a")
    assert not is_predicted(node, "t1", "b", "a")
    assert Column("model.main.t1", "k") in node.influencing
