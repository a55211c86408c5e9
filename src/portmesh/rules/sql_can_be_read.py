"""PM211: SQL that cannot be parsed is SQL for which no other rule holds."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.rules.checked_mesh import CheckedMesh, kind, label
from portmesh.rules.finding import Finding
from portmesh.rules.texts import texts_of

FIX = "Write it as one query that sqlglot can parse, or ask the platform team"


def sql_can_be_read(mesh: CheckedMesh) -> Iterator[Finding]:
    for text in texts_of(mesh):
        if text.reads.problem and not text.is_sent:
            what = f"The {text.what} cannot be read: {text.reads.problem}."
            yield Finding("PM211", text.file, 0, what, FIX, text.node["unique_id"], text.what)
    for id_, why in mesh.failed.items():
        node = mesh.resources.get(id_)
        if node and node["package_name"] in mesh.domains:
            what = f"The {kind(node)} {label(node)} has no compiled SQL: {' '.join(why.split())}"
            fix = "Fix what dbt says, then run this again"
            yield Finding("PM211", mesh.file_of(node), 0, what, fix, id_, "no compiled SQL")
