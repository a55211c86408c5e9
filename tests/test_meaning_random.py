"""Equal meaning is equal rows: random queries that read as the same are run on DuckDB, on rows with nulls and NaN."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from sqlglot import parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from portmesh.lineage.meaning.reading import Reader
from portmesh.lineage.meaning.terms import Labels, Leaf, View
from tests.sql_random import SCHEMA, Writer, bag, database, rows_of


def view_of(sql: str, dialect: str = "duckdb") -> View:
    query = qualify(parse_one(sql, dialect=dialect), schema=dict(SCHEMA), dialect=dialect, quote_identifiers=False)
    typed = annotate_types(query, schema=dict(SCHEMA), dialect=dialect)
    return Reader(Leaf, dialect).read(typed)


def meaning(sql: str, dialect: str = "duckdb") -> tuple[str, tuple[tuple[str, str], ...]]:
    """The digests of a query's rows and columns."""
    view = view_of(sql, dialect)
    labels = Labels()
    return view.rows(labels, False), tuple(sorted((name, view.column(name, labels, False)) for name in view.columns))


def check(seed: int, number: int) -> tuple[int, int]:
    """Queries of equal meaning have equal rows; gives how many meanings, and columns, had several."""
    writer, connection = Writer(random.Random(seed)), database()
    whole: dict[object, dict[str, object]] = defaultdict(dict)
    columns: dict[object, dict[str, object]] = defaultdict(dict)
    for _ in range(number):
        sql = writer.query()
        for each in {sql, writer.other_way(sql)}:
            rows = rows_of(connection, each)
            of_rows, of_columns = found = meaning(each)
            whole[found][each] = bag(rows, "p", "q")
            for name, column in of_columns:
                columns[of_rows, column, name][each] = bag(rows, name)
    several = [texts for texts in (*whole.values(), *columns.values()) if len(texts) > 1]
    for texts in several:
        assert len(set(texts.values())) == 1, "\n\n".join(f"{sql}\n{rows}" for sql, rows in texts.items())
    return sum(len(texts) > 1 for texts in whole.values()), sum(len(texts) > 1 for texts in columns.values())


def test_queries_of_equal_meaning_have_equal_rows() -> None:
    whole, by_column = check(15, 80)
    assert whole > 20
    assert by_column > 40


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(8))
def test_many_queries_of_equal_meaning_have_equal_rows(seed: int) -> None:
    whole, by_column = check(seed, 1500)
    assert whole > 200
    assert by_column > 400
