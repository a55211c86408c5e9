"""Waits for Trino's only node, which Trino does not know during the first seconds after its start."""

from __future__ import annotations

import time
from typing import Any

import trino

SECONDS_WITHOUT_A_NODE = 30


def rows_of(cursor: trino.dbapi.Cursor, sql: str) -> list[list[Any]]:
    """The rows of a statement. Retries while Trino refuses to read tables because it does not know its node yet."""
    deadline = time.monotonic() + SECONDS_WITHOUT_A_NODE
    while True:
        try:
            cursor.execute(sql)
            return list(cursor.fetchall())
        except trino.exceptions.TrinoQueryError as error:
            if error.error_name != "NO_NODES_AVAILABLE" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
