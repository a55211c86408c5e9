"""PM205: with `select *`, another domain's new column becomes a column of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.rules.checked_mesh import CheckedMesh, is_port, label
from portmesh.rules.finding import Finding
from portmesh.rules.texts import reads_of


def columns_of_ports_are_named(mesh: CheckedMesh) -> Iterator[Finding]:
    for node in mesh.of_domains("model"):
        if node.get("language", "sql") != "sql":
            continue
        seen, parents = set(), {parent["unique_id"] for parent in mesh.parents_of(node)}
        for name, how in reads_of(mesh, node).stars:
            port = mesh.node_of(name)
            if port is None or port["unique_id"] not in parents or port["package_name"] == node["package_name"]:
                continue
            if not is_port(port) or name in seen:
                continue
            seen.add(name)
            file = mesh.file_of(node)
            yield Finding(
                "PM205",
                file,
                mesh.line_of(file, f"'{port['name']}'", f'"{port["name"]}"'),
                f"The model {label(node)} makes all columns of {label(port)} {how}, including those that it will have.",
                "Name the columns that you need in a select",
                node["unique_id"],
                label(port),
            )
