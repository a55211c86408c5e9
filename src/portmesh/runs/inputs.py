"""What waits for another product: the readers of a port that has no version, or whose last attempt was refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from portmesh.building import Graph
from portmesh.runs.records import PortRecord


def input_ports(graph: Graph, chosen: Collection[str]) -> dict[str, frozenset[str]]:
    """For each chosen node, the ports of other products, not chosen themselves, that it reads.

    It reads a port directly, through models that are no ports, or through chosen ports.
    """
    found: dict[str, frozenset[str]] = {}

    def of(id_: str, domain: str) -> frozenset[str]:
        if id_ not in found:
            ports: set[str] = set()
            for parent in graph.nodes[id_].parents:
                node = graph.nodes.get(parent)
                if node and node.is_port and parent not in chosen:
                    ports |= {parent} if node.domain != domain else set()
                elif node:
                    ports |= of(parent, domain)
            found[id_] = frozenset(ports)
        return found[id_]

    return {id_: of(id_, graph.nodes[id_].domain) for id_ in chosen}


def has_no_version(record: PortRecord) -> bool:
    """Whether consumers read nothing of the port yet."""
    return record.current is None


def is_held_back(record: PortRecord) -> bool:
    """Whether the port has no version, or only one that is older than its last attempt."""
    return has_no_version(record) or record.refused is not None


def held_inputs(
    inputs: Mapping[str, frozenset[str]], records: Mapping[str, PortRecord], holds: Callable[[PortRecord], bool]
) -> dict[str, tuple[str, ...]]:
    """The nodes that wait, each with the ports that hold them back."""
    holding = {id_ for id_, record in records.items() if holds(record)}
    return {id_: tuple(sorted(ports & holding)) for id_, ports in inputs.items() if ports & holding}


def wait_in_words(graph: Graph, ports: Collection[str], records: Mapping[str, PortRecord]) -> str:
    """`waits for orders.order_lines, refused 26 Nov 06:12 UTC`."""
    told = []
    for id_ in ports:
        told.append(graph.nodes[id_].label + (_why_held(records[id_]) if id_ in records else ""))
    return f"waits for {'; '.join(told)}"


def _why_held(record: PortRecord) -> str:
    if record.refused:
        return f", refused {record.refused.at:%-d %b %H:%M} UTC"
    return ", which has no version yet" if has_no_version(record) else ""
