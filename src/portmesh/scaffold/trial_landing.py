"""Tries whether a file lands with the contract that was recognised in it, without keeping anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from portmesh.errors import PortmeshError
from portmesh.lake.contract import LandedTable, read_contract
from portmesh.lake.land_files import MOST_SET_ASIDE
from portmesh.lake.reading import Files
from portmesh.lake.rows import Rejected
from portmesh.scaffold.rendering import yaml_value
from portmesh.scaffold.sniffed_types import Odd
from portmesh.scaffold.sniffing import MOST_BYTES, Column, Sniffed

SHOWN = 3


def as_landed(found: Sniffed) -> LandedTable:
    """The table that the file would land in."""
    columns = [
        {"name": c.name, "data_type": c.data_type, "config": {"meta": {"from": c.of_file} if c.of_file else {}}}
        for c in found.columns
    ]
    return read_contract("source", found.file.stem, "feed", str(found.file), found.landing, columns)


def problems(found: Sniffed) -> list[tuple[str, str]]:
    """What a person should know before the file lands: that it cannot, which of its rows cannot be read, and which
    values make a column a text.

    A file that is too large to be read only for this is not tried.
    """
    is_small = found.file.stat().st_size <= MOST_BYTES
    try:
        rows, rejected = _tried(found) if is_small else (0, [])
    except PortmeshError as error:
        return [("does not land", f"{error.message}\nfix the file or the YAML")]
    notes = [("as text", _odd(found, column, odd, is_small)) for column, odd in found.odd]
    if not rejected:
        return notes
    number = f"{len(rejected):,} of {rows + len(rejected):,} rows, so a batch with them is refused"
    way_out = "to land the others: bad_rows: set_aside under landing"
    if len(rejected) > MOST_SET_ASIDE * (rows + len(rejected)):
        way_out = "compare the file with what was recognised, and correct landing in the YAML"
    return [*notes, ("cannot be read", "\n".join([number, *_lines(rejected), way_out]))]


def _tried(found: Sniffed) -> tuple[int, list[Rejected]]:
    rows = 0
    rejected: list[Rejected] = []
    for part in Files([found.file], as_landed(found)).parts():
        rows += part.rows.num_rows
        rejected += part.rejected
    return rows, rejected


def _odd(found: Sniffed, column: Column, odd: Odd, is_small: bool) -> str:
    """Which values of a column are not of the type that almost all are of, where they are, and what to write."""
    columns = [replace(one, data_type=odd.data_type) if one == column else one for one in found.columns]
    rejected = _tried(replace(found, columns=columns, landing={**found.landing, **odd.landing}))[1] if is_small else []
    lines = _lines(row for row in rejected if row.reason.startswith(f"{column.name}: "))
    keys = "".join(f"{key}: {yaml_value(value)} and " for key, value in odd.landing.items())
    return "\n".join(
        [
            f"{column.of_file or column.name}: {odd.said}" + ("" if lines else f", such as {odd.example!r}"),
            *lines,
            f"to set such rows aside: data_type: {odd.data_type}, and {keys}bad_rows: set_aside under landing",
        ]
    )


def _lines(rejected: Iterable[Rejected]) -> list[str]:
    rows = list(rejected)
    return [f"line {row.line}: {row.reason}" for row in rows[:SHOWN]] + ["…"] * (len(rows) > SHOWN)
