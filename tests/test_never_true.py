"""What is said to be true for no row is true for none, by DuckDB's own judgement of random conditions on all rows."""

from __future__ import annotations

import random
from itertools import product

import duckdb

from portmesh.rules.never_true import is_never_true

NUMBERS = (None, -1, 0, 1, 2, 3, 4)
TEXTS = (None, "x", "y")


def condition(random_: random.Random, depth: int) -> str:
    """A condition on the numbers a and b and the text c."""
    if depth == 0:
        column, number = random_.choice("ab"), random_.randint(0, 3)
        return random_.choice(
            [
                f"{column} {random_.choice(['<', '<=', '>', '>=', '=', '<>'])} {number}",
                f"{column} is null",
                f"{column} is not null",
                f"{column} in ({number}, {random_.randint(0, 3)})",
                f"{column} between {number} and {random_.randint(0, 3)}",
                f"coalesce({column}, {number}) = {random_.randint(0, 3)}",
                f"c {random_.choice(['=', '<>'])} '{random_.choice('xy')}'",
                "a = b",
                "a <> b",
                random_.choice(["true", "false", "null"]),
            ]
        )
    left, right = condition(random_, depth - 1), condition(random_, random_.randint(0, depth - 1))
    return random_.choice([f"({left} and {right})", f"({left} and {right})", f"({left} or {right})", f"not ({left})"])


def test_what_is_never_true_is_true_for_no_row() -> None:
    random_, never = random.Random(15), 0
    with duckdb.connect() as database:
        database.execute("create table rows (a int, b int, c varchar)")
        database.executemany("insert into rows values (?, ?, ?)", list(product(NUMBERS, NUMBERS, TEXTS)))
        for number in range(800):
            sql = condition(random_, number % 4)
            rows = database.execute(f"select a, b, c from rows where {sql} limit 1").fetchall()
            if is_never_true(sql, "duckdb"):
                assert rows == [], sql
                never += 1
    assert never > 50
