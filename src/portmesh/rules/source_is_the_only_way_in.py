"""PM203: a file, another database or a query in a string can be anyone's data, and dbt sees none of it."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.rules.checked_mesh import CheckedMesh, Node, label
from portmesh.rules.finding import Finding
from portmesh.rules.reading_sql import read_relation
from portmesh.rules.texts import texts_of, unexpected

LONGEST = 60


def source_is_the_only_way_in(mesh: CheckedMesh) -> Iterator[Finding]:
    for text in texts_of(mesh):
        for call in unexpected(mesh, text)[1] if not text.is_sent else ():
            yield Finding(
                "PM203",
                text.file,
                mesh.line_of(text.file, call, call.partition("(")[0], call.strip("\"'`")),
                f"The {text.what} reads {shortened(call)}, which no source declares.",
                "Declare it as a source, and read it with source()",
                text.node["unique_id"],
                shortened(call),
            )
    yield from _shared_sources(mesh)


def shortened(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _shared_sources(mesh: CheckedMesh) -> Iterator[Finding]:
    """Sources of two domains that are one table: one of the domains reads what the other one lands."""
    by_table: dict[object, list[Node]] = {}
    for source in mesh.of_domains("source"):
        if source.get("relation_name"):
            by_table.setdefault(read_relation(source["relation_name"], mesh.dialect_of(source)), []).append(source)
    for sources in by_table.values():
        for source in sources:
            others = [each for each in sources if each["package_name"] != source["package_name"]]
            if others:
                file = mesh.file_of(source)
                yield Finding(
                    "PM203",
                    file,
                    mesh.line_of(file, f"name: {source['name']}"),
                    f"The source {label(source)} is the same table as {label(others[0])}.",
                    "Only one of them may declare it; the other one reads an output port of that domain",
                    source["unique_id"],
                    label(others[0]),
                )
