"""Trino's one node: for some seconds after a start, Trino does not know it."""

from __future__ import annotations

import time
from typing import Any

import trino

SECONDS_WITHOUT_A_NODE = 30


def rows_of(cursor: trino.dbapi.Cursor, sql: str) -> list[list[Any]]:
    """The rows of a statement. One that reads tables is refused until Trino knows its node: it is sent again."""
    deadline = time.monotonic() + SECONDS_WITHOUT_A_NODE
    while True:
        try:
            cursor.execute(sql)
            return list(cursor.fetchall())
        except trino.exceptions.TrinoQueryError as error:
            if error.error_name != "NO_NODES_AVAILABLE" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
