"""Tries whether a file lands with the contract that was recognised in it, without keeping anything."""

from __future__ import annotations

from portmesh.errors import PortmeshError
from portmesh.lake.contract import LandedTable, read_contract
from portmesh.lake.land_files import MOST_SET_ASIDE
from portmesh.lake.reading import Files
from portmesh.lake.rows import Rejected
from portmesh.scaffold.sniffing import MOST_BYTES, Sniffed

SHOWN = 3


def as_landed(found: Sniffed) -> LandedTable:
    """The table that the file would land in."""
    columns = [
        {"name": c.name, "data_type": c.data_type, "config": {"meta": {"from": c.of_file} if c.of_file else {}}}
        for c in found.columns
    ]
    return read_contract("source", found.file.stem, "feed", str(found.file), found.landing, columns)


def problems(found: Sniffed) -> list[tuple[str, str]]:
    """What a person should know before the file lands: that it cannot, or which of its rows cannot be read.

    Empty if the file is too large to be read only for this.
    """
    if found.file.stat().st_size > MOST_BYTES:
        return []
    rows = 0
    rejected: list[Rejected] = []
    try:
        for part in Files([found.file], as_landed(found)).parts():
            rows += part.rows.num_rows
            rejected += part.rejected
    except PortmeshError as error:
        return [("does not land", f"{error.message}\nfix the file or the YAML")]
    if not rejected:
        return []
    lines = [f"line {row.line}: {row.reason}" for row in rejected[:SHOWN]] + ["…"] * (len(rejected) > SHOWN)
    number = f"{len(rejected):,} of {rows + len(rejected):,} rows, so a batch with them is refused"
    way_out = "to land the others: bad_rows: set_aside under landing"
    if len(rejected) > MOST_SET_ASIDE * (rows + len(rejected)):
        way_out = "compare the file with what was recognised, and correct landing in the YAML"
    return [("cannot be read", "\n".join([number, *lines, way_out]))]
