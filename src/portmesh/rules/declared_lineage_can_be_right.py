"""PM212: what a Python model declares of its lineage is about what it reads. SQL declares none, because it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from portmesh.lineage import read_lineage
from portmesh.lineage.declaring import declarations, wrong_in
from portmesh.lineage.sql_of_node import is_python
from portmesh.lineage.tables import Tables, has_contract
from portmesh.rules.checked_mesh import CheckedMesh, Node, label
from portmesh.rules.finding import Finding
from portmesh.rules.texts import code_of


def declared_lineage_can_be_right(mesh: CheckedMesh) -> Iterator[Finding]:
    declaring = [node for node in mesh.of_domains("model", "snapshot", "seed") if declarations(node)]
    tables = _tables(mesh, declaring)
    for node in declaring:
        for declaration in declarations(node):
            for wrong in wrong_in(declaration, node, tables):
                yield Finding(
                    "PM212",
                    mesh.yaml_of(node),
                    mesh.line_of_entry(node, wrong.name, declaration.key.partition(" ")[0]),
                    f"{label(node)}: {wrong.what}.",
                    wrong.fix,
                    node["unique_id"],
                    f"{declaration.key} {wrong.name}".strip(),
                )


def _tables(mesh: CheckedMesh, declaring: Iterable[Node]) -> Tables:
    """What is known of the columns of everything that the nodes read."""
    known = {**mesh.manifest["nodes"], **mesh.manifest["sources"]}
    found: dict[str, Node] = {}
    ahead = [node["unique_id"] for node in declaring if is_python(node)]
    of_them = set(ahead)
    for id_ in ahead:
        if id_ in known and id_ not in found:
            node = found[id_] = known[id_]
            if id_ in of_them or not has_contract(node):
                ahead += (node.get("depends_on") or {}).get("nodes") or []
    sources = {id_: node for id_, node in found.items() if node["resource_type"] == "source"}
    nodes = {id_: {**node, "compiled_code": code_of(mesh, node)} for id_, node in found.items() if id_ not in sources}
    return read_lineage({**mesh.manifest, "nodes": nodes, "sources": sources}).tables
