"""What waits for another product: a port whose last attempt was refused lets nothing be built from its old version."""

from __future__ import annotations

from collections.abc import Collection, Mapping

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


def held_inputs(inputs: Mapping[str, frozenset[str]], records: Mapping[str, PortRecord]) -> dict[str, tuple[str, ...]]:
    """The nodes that wait, each with the ports that hold them back."""
    refused = {id_ for id_, record in records.items() if record.refused}
    return {id_: tuple(sorted(ports & refused)) for id_, ports in inputs.items() if ports & refused}


def wait_in_words(graph: Graph, ports: Collection[str], records: Mapping[str, PortRecord]) -> str:
    """`waits for orders.order_lines, refused 26 Nov 06:12 UTC`."""
    told = []
    for id_ in ports:
        refused = records[id_].refused if id_ in records else None
        told.append(graph.nodes[id_].label + (f", refused {refused.at:%-d %b %H:%M} UTC" if refused else ""))
    return f"waits for {'; '.join(told)}"
