"""Plans a build in which each domain has its own engine, and decides what a failure holds back.

A step is one dbt command. Steps follow the graph of models, not of domains, because two domains may read each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from portmesh.mesh import Node, read_mesh

NOT_STARTED = "not started"
FAILED = ("error", "fail", "runtime error", "partial success", NOT_STARTED)


@dataclass(frozen=True)
class Graph:
    """The nodes of the mesh by id, and the engine that each domain names."""

    nodes: Mapping[str, Node]
    engines: Mapping[str, str]

    @cached_property
    def ancestors(self) -> Mapping[str, frozenset[str]]:
        """All nodes that a node depends on, directly or indirectly, by id."""
        found: dict[str, frozenset[str]] = {}

        def of(node_id: str) -> frozenset[str]:
            if node_id not in found:
                parents = [parent for parent in self.nodes[node_id].parents if parent in self.nodes]
                found[node_id] = frozenset(parents).union(*(of(parent) for parent in parents))
            return found[node_id]

        for node_id in self.nodes:
            of(node_id)
        return found


@dataclass(frozen=True)
class Step:
    """Nodes that one dbt command builds on one target."""

    target: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Ran:
    """What a step's dbt command did. `error` says why it stopped before its first node, if it did.

    `verdicts` has the ports that were published, and those with nothing new in them, as write_audit_publish says it.
    """

    statuses: Mapping[str, str]
    messages: Mapping[str, str]
    exit_code: int
    error: str = ""
    verdicts: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    """What became of the selected nodes. `waits_for` has, for a node that was held back, the failed nodes it needs."""

    statuses: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    waits_for: dict[str, tuple[str, ...]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    exit_code: int = 0

    @property
    def failed(self) -> list[str]:
        return [node for node, status in self.statuses.items() if status in FAILED]


def read_graph(manifest: Mapping[str, Any]) -> Graph:
    """The graph of a dbt manifest (schema v12, as a dictionary)."""
    mesh = read_mesh(manifest)
    return Graph(mesh.nodes, {product.name: product.meta.engine for product in mesh.products if product.meta.engine})


def plan_steps(graph: Graph, chosen: Collection[str], target: str) -> list[Step]:
    """The fewest steps found that build the nodes in order. Domains that name no engine are built on `target`."""
    order = _in_order(graph, chosen)
    targets = sorted({_target_of(graph, node, target) for node in order})
    plans = [_alternate(graph, order, [first, *(t for t in targets if t != first)], target) for first in targets]
    return min(plans, key=len, default=[])


def _target_of(graph: Graph, node: str, target: str) -> str:
    return graph.engines.get(graph.nodes[node].domain, target)


def _in_order(graph: Graph, chosen: Collection[str]) -> list[str]:
    """The nodes, each after all that it depends on. A unit test comes after its model, although dbt runs it before."""
    return sorted(chosen, key=lambda node: (len(graph.ancestors[node]), node))


def _alternate(graph: Graph, order: Sequence[str], targets: Sequence[str], target: str) -> list[Step]:
    """Take everything that one engine can build, then everything that the next can, until all is planned."""
    steps: list[Step] = []
    done: set[str] = set()
    ahead = set(order)
    while ahead - done:
        for engine in targets:
            taken = []
            for node in order:
                is_ready = graph.ancestors[node] & ahead <= done
                if node not in done and is_ready and _target_of(graph, node, target) == engine:
                    taken.append(node)
                    done.add(node)
            if taken:
                steps.append(Step(engine, tuple(taken)))
    return steps


def build_steps(
    graph: Graph, steps: Sequence[Step], run: Callable[[Step], Ran], outcome: Outcome | None = None
) -> Outcome:
    """Run the steps in order, without nodes that depend on a failed one. An engine that fails as a whole runs once.

    What happens is added to `outcome` step by step, for a caller that has to know even if this does not end.
    """
    outcome = outcome or Outcome()
    for step in steps:
        waiting = dict(held_back(graph, step.nodes, outcome.failed))
        outcome.waits_for |= waiting
        nodes = tuple(node for node in step.nodes if node not in waiting)
        if nodes and step.target not in outcome.errors:
            _take(outcome, graph, nodes, run(Step(step.target, nodes)), step.target)
        elif nodes:
            outcome.statuses |= dict.fromkeys(nodes, NOT_STARTED)
    return outcome


def _take(outcome: Outcome, graph: Graph, nodes: Sequence[str], ran: Ran, target: str) -> None:
    outcome.exit_code = max(outcome.exit_code, ran.exit_code)
    outcome.messages |= ran.messages
    outcome.verdicts |= ran.verdicts
    if ran.error:
        outcome.errors[target] = ran.error
    outcome.statuses |= dict.fromkeys(nodes, NOT_STARTED) if ran.error else ran.statuses
    skipped = [node for node, status in ran.statuses.items() if status == "skipped"]
    outcome.waits_for |= dict(held_back(graph, skipped, outcome.failed))


def held_back(graph: Graph, nodes: Iterable[str], failed: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The nodes that depend on a failed one, each with the failed nodes it depends on.

    As in dbt, a node that depends on everything that a failed test reads also depends on the test.
    """
    for node in nodes:
        causes = tuple(other for other in failed if _depends_on(graph, node, other))
        if causes:
            yield node, causes


def _depends_on(graph: Graph, node: str, other: str) -> bool:
    below = graph.ancestors[node]
    if graph.nodes[other].kind not in ("test", "unit_test"):
        return other in below
    tested = {parent for parent in graph.nodes[other].parents if parent in graph.nodes}
    if graph.nodes[other].kind == "unit_test":  # dbt runs it before its model, and skips the model if it fails
        below = below | {node}
    return graph.nodes[node].kind != "test" and bool(tested) and tested <= below
