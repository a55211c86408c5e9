"""PM202: a domain's own table, or one from outside the mesh, that SQL names is missing in dbt's lineage and order."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.rules.checked_mesh import CheckedMesh, label
from portmesh.rules.domain_reads_through_ref import is_foreign
from portmesh.rules.finding import Finding
from portmesh.rules.texts import texts_of, unexpected


def table_is_declared(mesh: CheckedMesh) -> Iterator[Finding]:
    for text in texts_of(mesh):
        if text.is_sent or text.reads.problem:
            continue
        for name in unexpected(mesh, text)[0]:
            if not is_foreign(mesh, text.node, name) and mesh.owner_of(name) != "portmesh":
                shown, node = ".".join(name), mesh.node_of(name)
                found = node if node and len(name) > 1 else None
                fix = "Declare it as a source, and read it with source()"
                if found and found["resource_type"] == "source":
                    fix = f"Read it with source('{found['source_name']}', '{found['name']}')"
                elif found:
                    fix = f"Read it with ref('{found['name']}')"
                yield Finding(
                    "PM202",
                    text.file,
                    mesh.line_of(text.file, shown, name[-1]),
                    f"The {text.what} reads {label(found) if found else 'a table'} by its name, {shown}.",
                    fix,
                    text.node["unique_id"],
                    shown,
                )
