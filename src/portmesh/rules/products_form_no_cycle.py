"""PM210: in a cycle of products no team can build, change or understand its own product first."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from portmesh.rules.checked_mesh import CheckedMesh, label
from portmesh.rules.finding import Finding


def products_form_no_cycle(mesh: CheckedMesh) -> Iterator[Finding]:
    reads: dict[str, dict[str, str]] = {domain: {} for domain in sorted(mesh.domains)}
    for reader in mesh.of_domains("model", "snapshot"):
        for id_ in reader["depends_on"].get("nodes") or []:
            port, domain = mesh.ports.get(id_), reader["package_name"]
            if port and port["package_name"] != domain:
                example = f"{label(reader)} reads {label(port)}"
                reads[domain].setdefault(port["package_name"], example)
    for cycle in find_cycles({domain: set(others) for domain, others in reads.items()}):
        hops = [reads[one][other] for one, other in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]
        first = mesh.products.get(cycle[0])
        yield Finding(
            "PM210",
            mesh.file_of(first) if first else f"domains/{cycle[0]}/dbt_project.yml",
            mesh.line_of(mesh.file_of(first), f"name: {cycle[0]}") if first else 0,
            f"{', '.join(cycle[:-1])} and {cycle[-1]} read each other in a cycle: {', '.join(hops)}.",
            "Move what both need into one of them, or into a product of its own",
            first["unique_id"] if first else cycle[0],
            " → ".join(cycle),
        )


def find_cycles(reads: dict[str, set[str]]) -> list[list[str]]:
    """Cycles until none is left, each from its first name on. Every cycle found is broken at one place."""
    reads, found = {name: set(others) for name, others in reads.items()}, []
    while True:
        try:
            list(TopologicalSorter({name: sorted(others) for name, others in sorted(reads.items())}).static_order())
        except CycleError as error:
            # graphlib lists each after the one that reads it, and the first one twice.
            cycle = list(reversed(error.args[1][1:]))
            at = cycle.index(min(cycle))
            cycle = cycle[at:] + cycle[:at]
            reads[cycle[-1]].discard(cycle[0])
            found.append(cycle)
        else:
            return found
