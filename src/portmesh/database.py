"""Explains why DuckDB cannot open the mesh's database, and what to do about it."""

from __future__ import annotations

import re

from portmesh.errors import UsageError

# A pattern of DuckDB's error, what it means, and what to do. The first match counts.
_MEANINGS = {
    "Could not set lock on file": (
        "The mesh's database is in use by another process.",
        "wait for the other dbt run (or close the DuckDB session that has it open), then try again",
    ),
    "not a valid DuckDB database file|Corrupt database file": (
        "The mesh's database file is damaged or is not a DuckDB database.",
        "restore a backup, or move the file away: dbt build then creates a new one from the lake",
    ),
    "Cannot open file .*: (Permission denied|Read-only file system)|attached in read-only mode": (
        "The mesh's database file is not writable.",
        "make it and its folder writable, or set PORTMESH_DATABASE to another file",
    ),
    "Cannot open file .*: No such file or directory": (
        "The folder of the mesh's database file does not exist.",
        "create it, or set PORTMESH_DATABASE to another file",
    ),
    "No space left on device": ("The disk of the mesh's database is full.", "free some space, then try again"),
}


def meaning_of(text: str) -> UsageError | None:
    """A plain error for DuckDB's error text; None for any other text."""
    for said, (meaning, next_step) in _MEANINGS.items():
        if re.search(said, text):
            return UsageError(meaning, [("said", _last_line(text))], next_step)
    return None


def _last_line(text: str) -> str:
    line = [line.strip() for line in text.splitlines() if line.strip()][-1]
    return line.removeprefix("Encountered an error while running operation: ")
