"""Finds the source table that files land in, by its name in the mesh."""

from __future__ import annotations

from portmesh.errors import UsageError, not_allowed
from portmesh.lake.contract import LandedTable, read_contract
from portmesh.mesh import Mesh, Source

SCHEMA = "landed"


def find_table(mesh: Mesh, name: str) -> LandedTable:
    """The source table `<source>.<table>`, or the one whose feed has this name.

    Raises UsageError if there is none, if its files do not land, or if its YAML contradicts itself.
    """
    labels = {source.label for source in mesh.sources.values()}
    found = [source for source in mesh.sources.values() if source.label == name]
    found = found or [source for source in mesh.sources.values() if source.table == name and source.landing]
    if not found:
        raise not_allowed("source table", name, sorted(labels), shown="" if labels else "the mesh has no source")
    _assert_one(found, name)
    source = found[0]
    if not source.landing:
        raise UsageError(
            f"{source.label} has no landing, so no file can land in it.",
            [("file", source.path), ("got", f"a table {source.schema}.{source.table} that something else writes")],
            "if its rows come in files: config: {meta: {landing: {format: csv}}} at the source or the table",
        )
    _assert_place(source)
    _assert_own_feed(mesh, source)
    return read_contract(source.source, source.name, source.table, source.path, source.landing, source.columns)


def _assert_one(found: list[Source], name: str) -> None:
    if len(found) > 1:
        raise UsageError(
            f"There are several source tables {name}.",
            [(source.product, source.path) for source in found],
            "rename one of the sources, so that each table has a name of its own",
        )


def _assert_place(source: Source) -> None:
    """What lands must be what the models read, on each engine."""
    for key, got, allowed in (
        ("schema", source.schema, SCHEMA),
        ("external_location", source.location, f"{SCHEMA}('{source.table}')"),
    ):
        if got != allowed:
            whole = "config.meta.external_location" if key != "schema" else key
            text = "\"landed('{identifier}')\"" if key != "schema" else allowed
            raise UsageError(
                f"{source.label} cannot land: its models would not read what lands.",
                [("file", source.path), ("got", f"{whole}: {got or 'nothing'}"), ("allowed", allowed)],
                f"{whole}: {text} at the source",
            )


def _assert_own_feed(mesh: Mesh, source: Source) -> None:
    others = [s for s in mesh.sources.values() if s.table == source.table and s.landing and s.id != source.id]
    if others:
        raise UsageError(
            f"Two source tables land in the feed {source.table}, so their rows would be mixed.",
            [(one.label, one.path) for one in (source, *others)],
            f"give one of them an identifier of its own: identifier: {source.source}__{source.name}",
        )
