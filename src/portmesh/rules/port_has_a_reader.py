"""PM207: a port that nobody reads costs its team a promise, and everyone else a search."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from portmesh.rules.checked_mesh import CheckedMesh, Node, label, meta_of
from portmesh.rules.finding import Finding


def port_has_a_reader(mesh: CheckedMesh) -> Iterator[Finding]:
    read = {
        (id_, reader["package_name"])
        for reader in mesh.resources.values()
        if reader["resource_type"] not in ("test", "unit_test")
        for id_ in (reader.get("depends_on") or {}).get("nodes") or []
    }
    exposed = {id_ for reader in mesh.of_domains("exposure") for id_ in reader["depends_on"].get("nodes") or []}
    for id_, port in mesh.ports.items():
        domain = port["package_name"]
        named = {str(each.get("name")) for each in meta_of(port).get("consumers") or [] if isinstance(each, dict)}
        if id_ in exposed or any(one == id_ and package != domain for one, package in read):
            continue
        if named - mesh.domains or _is_to_end(port, mesh.today) or _is_not_yet_the_latest(port):
            continue
        waiting = sorted(named - {domain})
        why = f": {', '.join(waiting)} may, but has no model that does" if waiting else ""
        yield Finding(
            "PM207",
            mesh.yaml_of(port),
            mesh.line_of_entry(port),
            f"No other domain, exposure or application reads {label(port)}{why}.",
            "Move it to intermediate/ if only its own domain needs it, remove it, or list who reads it",
            id_,
        )


def _is_to_end(port: Node, today: date) -> bool:
    """Whether its end is announced, so that it stays until that day. From then on, PM208 reports it."""
    return str(port.get("deprecation_date") or "")[:10] >= today.isoformat()


def _is_not_yet_the_latest(port: Node) -> bool:
    """Whether it is a version to which readers move later."""
    version, latest = port.get("version"), port.get("latest_version")
    return isinstance(version, int | float) and isinstance(latest, int | float) and version > latest
