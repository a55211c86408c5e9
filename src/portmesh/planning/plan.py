"""Decides what has to be built and tested for a change: what can give other rows, and what is checked differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portmesh.contracts.diff.matching import match
from portmesh.contracts.diff.meaning import with_new_ids
from portmesh.contracts.diff.terms import read_terms
from portmesh.lineage.meaning import Changes, NodeChange, changes
from portmesh.mesh import Node
from portmesh.planning.checks import changed_tests, tests_that_read
from portmesh.planning.settings import changed_settings
from portmesh.planning.targets import depends_on_target
from portmesh.state import MeshState

TESTS = ("test", "unit_test")


@dataclass(frozen=True)
class Planned:
    """A node that has to be built or tested, and why. A check that runs because its model is built has no reasons."""

    node: Node
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What has to be built and tested for a change.

    `before` and `after` are the names of the two states. `gone` are labels of what is no longer in the mesh; `total` is
    the number of nodes in the mesh. `not_compiled` are models whose SQL could not be compared, with dbt's message, and
    `by_target` those of which it was compared for one engine only, although their Jinja depends on the engine.
    """

    before: str
    after: str
    nodes: tuple[Planned, ...]
    gone: tuple[str, ...]
    total: int
    not_compiled: Mapping[str, str]
    by_target: tuple[str, ...]

    @property
    def selectors(self) -> list[str]:
        """A selector of dbt for each node. They need `--indirect-selection empty`."""
        return sorted({f"fqn:{planned.node.fqn}" for planned in self.nodes})


def plan(before: MeshState, after: MeshState, cache: Path | None = None) -> Plan:
    """Compare two states. `cache` is the file of lineage."""
    kept = _ports_with_another_id(before, after)
    was = with_new_ids(before.manifest, kept)
    found = changes(was, after.manifest, cache=cache)
    built = {id_: reasons for id_, reasons in _changed_nodes(was, after, found) if reasons}
    tested = changed_tests(before.manifest, after.manifest, kept)
    for id_, reason in tested.items():
        node = after.mesh.nodes[id_]
        if node.attached_to in after.mesh.ports:
            built.setdefault(node.attached_to, []).append(reason)
    run = {id_: [reason] for id_, reason in tested.items()}
    for id_, reason in tests_that_read(after.manifest, found):
        run.setdefault(id_, []).append(reason)
    for id_, node in after.mesh.nodes.items():
        if node.kind in TESTS and _tested(node) in built:
            run[id_] = [] if node.attached_to in after.mesh.ports else run.get(id_, [])
    nodes = [Planned(after.mesh.nodes[id_], tuple(why)) for id_, why in (built | run).items()]
    order = sorted(nodes, key=lambda planned: (planned.node.kind in TESTS, planned.node.label, planned.node.id))
    return Plan(
        before=before.name,
        after=after.name,
        nodes=tuple(order),
        gone=tuple(
            sorted(node.label for id_, node in before.mesh.nodes.items() if _is_gone(kept.get(id_, id_), node, after))
        ),
        total=len(after.mesh.nodes),
        not_compiled={after.mesh.nodes[id_].label: said for id_, said in after.failed.items()},
        by_target=tuple(depends_on_target(after)),
    )


def _ports_with_another_id(before: MeshState, after: MeshState) -> dict[str, str]:
    """The new id, by the old one, of each port that keeps its table: its model got or lost versions."""
    pairs = match(*(read_terms(state.manifest, state.mesh) for state in (before, after))).pairs
    return {old.id: new.id for old, new in pairs if old.id != new.id and old.relation == new.relation}


def _changed_nodes(before: Mapping[str, Any], after: MeshState, found: Changes) -> Iterator[tuple[str, list[str]]]:
    """The nodes that can be built, each with the reasons why it has to be."""
    for id_, node in after.mesh.nodes.items():
        ours = after.manifest["nodes"].get(id_)
        if node.kind in TESTS or not ours or ours["config"].get("materialized") == "ephemeral":
            continue
        was = before["nodes"].get(id_)
        reasons = describe(found.nodes[id_]) if id_ in found.nodes else []
        if was and not reasons:
            reasons = changed_settings(was, ours)
        yield id_, reasons if was else ["it is new"]


def describe(change: NodeChange) -> list[str]:
    """Why a node has other rows, in words."""
    if change.new:
        return ["it is new"]
    if change.unknown:
        return [f"its rows may be others: {change.unknown}"]
    columns = [f"{name}: {reason}" for name, reasons in change.columns.items() for reason in reasons]
    # With other rows, every column has other values.
    columns = [] if change.rows else columns
    added = [f"{name} is a new column" for name in change.added]
    return [*change.rows, *columns, *added, *(f"{name} is gone" for name in change.removed)]


def _tested(node: Node) -> str:
    """The model that a test is about. The first parent of a unit test is its model."""
    return node.attached_to or (node.parents[0] if node.kind == "unit_test" and node.parents else "")


def _is_gone(id_: str, node: Node, after: MeshState) -> bool:
    return node.kind not in TESTS and id_ not in after.mesh.nodes


def as_facts(found: Plan) -> dict[str, Any]:
    """The plan as `--json` prints it."""
    return {
        "before": found.before,
        "after": found.after,
        "nodes": [
            {"id": each.node.id, "label": each.node.label, "kind": each.node.kind, "reasons": list(each.reasons)}
            for each in found.nodes
        ],
        "select": found.selectors,
        "gone": list(found.gone),
        "total": found.total,
        "not_compiled": dict(found.not_compiled),
        "depends_on_target": list(found.by_target),
    }
