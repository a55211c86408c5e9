"""The lineage of the 99 queries of TPC-DS, against what happens on DuckDB when values of one column change."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlglot import exp

from benchmarks.meaning import data, queries
from portmesh.lineage import NodeLineage, read_lineage
from tests.sql_manifest import manifest, model, source
from tests.test_lineage_random import is_predicted, rows_of

QUERIES = queries.read_queries()
RELATION = '"memory"."main"."{}"'
COLUMNS_OF_A_QUERY = 6


def tables_of(query: exp.Query) -> list[str]:
    ctes = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    return sorted({table.name.lower() for table in query.find_all(exp.Table)} - ctes)


def lineage_of(query: exp.Query, known: queries.Schema | None = None) -> NodeLineage:
    """The lineage of a query over tables of known columns, else over sources that list none."""
    names = tables_of(query)
    if known:
        tables = [
            model(f"tpcds.{name}", "", contract=known[name], relation_name=RELATION.format(name)) for name in names
        ]
    else:
        tables = [source(f"tpcds.{name}", relation_name=RELATION.format(name)) for name in names]
    asked = model("shop.asked", queries.text(query), [id_ for each in tables for id_ in each])
    return read_lineage(manifest(*tables, asked)).nodes["model.shop.asked"]


@pytest.mark.thorough
def test_the_lineage_of_all_queries_is_known_without_a_list_of_columns() -> None:
    found = [lineage_of(query) for query in QUERIES.values()]
    assert len(found) == 99
    assert [node.unknown for node in found if node.unknown] == []


@pytest.mark.nightly
def test_every_change_of_their_results_is_predicted(tmp_path: Path) -> None:
    connection = data.tables(tmp_path, "0.01")
    known = queries.schema(connection)
    chosen, changes = random.Random(0), 0
    for number, query in QUERIES.items():
        sql, node = queries.text(query), lineage_of(query, known)
        before = rows_of(connection, sql)
        if len(before) != len(node.columns):
            continue  # two columns of one name
        columns = [(t, c) for t in tables_of(query) for c in known[t] if c in sql.lower()]
        for table, column in chosen.sample(columns, min(COLUMNS_OF_A_QUERY, len(columns))):
            connection.execute("begin")
            changed = f"update {table} set {column} = {another(column, known[table][column])}"
            connection.execute(f"{changed} where hash({column}) % 2 = 0")
            after = rows_of(connection, sql)
            connection.execute("rollback")
            for place, output in enumerate(before):
                if before[output] != after[output]:
                    changes += 1
                    assert is_predicted(node, table, column, list(node.columns)[place]), (number, table, column, output)
    assert changes > 500


def another(column: str, type_: str) -> str:
    """Another value of the same type."""
    if "CHAR" in type_:
        return f"{column} || 'x'"
    return f"cast({column} + interval 1 day as date)" if type_ == "DATE" else f"{column} + 1"
