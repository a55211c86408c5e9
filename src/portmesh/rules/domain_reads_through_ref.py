"""PM201: dbt sees only what is read with ref() and source(), so a name in SQL bypasses every rule about readers."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.rules.checked_mesh import RECORDS, CheckedMesh, Node, is_port
from portmesh.rules.finding import Finding
from portmesh.rules.reading_sql import Name
from portmesh.rules.texts import texts_of, unexpected


def domain_reads_through_ref(mesh: CheckedMesh) -> Iterator[Finding]:
    for text in texts_of(mesh):
        for name in unexpected(mesh, text)[0] if not text.is_sent else ():
            if is_foreign(mesh, text.node, name):
                shown = ".".join(name)
                yield Finding(
                    "PM201",
                    text.file,
                    mesh.line_of(text.file, shown, name[-1]),
                    f"The {text.what} reads {whose(mesh, name)} by its name, {shown}.",
                    how_to_read(mesh, name),
                    text.node["unique_id"],
                    shown,
                )


def is_foreign(mesh: CheckedMesh, node: Node, name: Name) -> bool:
    """Whether a table belongs to another domain. Platform may read the records."""
    owner = mesh.owner_of(name)
    return bool(owner) and owner != node["package_name"] and (owner, node["package_name"]) != (RECORDS, "platform")


def whose(mesh: CheckedMesh, name: Name) -> str:
    """What a foreign table is, in words."""
    owner, node = mesh.owner_of(name), mesh.node_of(name)
    if owner == RECORDS:
        return "the records"
    kind = "output port" if node and is_port(node) else node["resource_type"] if node else "table"
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} of {owner}"


def how_to_read(mesh: CheckedMesh, name: Name) -> str:
    """The fix for a foreign name, without a full stop."""
    owner, node = mesh.owner_of(name), mesh.node_of(name)
    if owner == RECORDS:
        return "Read an output port of platform"
    if node and is_port(node):
        version = f", v={node['version']}" if node.get("version") is not None else ""
        return f"Read it with ref('{owner}', '{node['name']}'{version})"
    return f"Read an output port of {owner} with ref('{owner}', '<port>')"
