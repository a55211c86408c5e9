"""What DuckDB says when it cannot open the mesh's database, in words of what to do about it."""

from __future__ import annotations

import re

from portmesh.errors import UsageError

# What DuckDB's error contains, what it means, and what to do; the first that fits.
_MEANINGS = {
    "Could not set lock on file": (
        "The mesh's database is in use by another process.",
        "wait for the other dbt run (or close the DuckDB session that has it open), then try again",
    ),
    "not a valid DuckDB database file|Corrupt database file": (
        "The mesh's database file is damaged, or is no DuckDB database.",
        "put back a copy, or move it away: dbt build then makes a new one of what is in the lake",
    ),
    "Cannot open file .*: (Permission denied|Read-only file system)|attached in read-only mode": (
        "The mesh's database file may not be written.",
        "make it and its folder writable, or name another file: PORTMESH_DATABASE",
    ),
    "Cannot open file .*: No such file or directory": (
        "The folder of the mesh's database file does not exist.",
        "make it, or name another file: PORTMESH_DATABASE",
    ),
    "No space left on device": ("The disk of the mesh's database is full.", "make room there, then try again"),
}


def meaning_of(text: str) -> UsageError | None:
    """DuckDB's error as one of ours; none where it is another's, or not known."""
    for said, (meaning, next_step) in _MEANINGS.items():
        if re.search(said, text):
            return UsageError(meaning, [("said", _last_line(text))], next_step)
    return None


def _last_line(text: str) -> str:
    line = [line.strip() for line in text.splitlines() if line.strip()][-1]
    return line.removeprefix("Encountered an error while running operation: ")
