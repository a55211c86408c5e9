"""`portmesh rollback`: return a port to its previous published version."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.building import read_graph
from portmesh.commands.options import Target
from portmesh.dbt import parse_manifest, run_operation
from portmesh.output import console
from portmesh.upkeep.port_facts import choose_ports


def rollback(
    port: Annotated[str, typer.Argument(metavar="PORT", help="Such as orders.order_lines or orders.order_lines.v2.")],
    target: Target = None,
) -> None:
    """Return a port to its previous published version.

    Consumers switch in one step, and the rollback is recorded.
    """
    graph = read_graph(parse_manifest(*(["--target", target] if target else [])))
    choose_ports([node.label for node in graph.nodes.values() if node.is_port], [port])
    for line in run_operation("rollback", f"{{port: '{port}'}}", target):
        console().print(line, markup=False, soft_wrap=True)
