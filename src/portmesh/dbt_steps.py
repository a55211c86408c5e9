"""Runs each step of a build as one dbt command."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from portmesh import dbt
from portmesh.building import Graph, Ran, Step, read_graph
from portmesh.errors import ExitCode, MissingArtifactError, UsageError, nearest
from portmesh.repository import find_root


def repeated(option: str, values: Sequence[str] | None) -> list[str]:
    """`--select a --select b`."""
    return [word for value in values or [] for word in (option, value)]


def from_file(file: Path) -> list[str]:
    """dbt's options for the selectors in a file that `portmesh plan` wrote, one on each line. Empty if it has none.

    Raises MissingArtifactError if there is no such file.
    """
    try:
        lines = file.read_text().split("\n")
    except FileNotFoundError as error:
        next_step = f"portmesh plan --against production --select-file {file}"
        raise MissingArtifactError(f"There is no file {file}.", next_step=next_step) from error
    selectors = [line.strip() for line in lines if line.strip()]
    # The plan names each check and unit test itself.
    return [*repeated("--select", selectors), "--indirect-selection", "empty"] if selectors else []


@dataclass(frozen=True)
class Chosen:
    """The graph of the mesh, the ids of its nodes that are selected, and the environment (PORTMESH_ENVIRONMENT).

    `manifest` is dbt's, as a dictionary.
    """

    graph: Graph
    nodes: list[str]
    environment: str
    manifest: dict[str, Any]


def read_chosen(chosen: Sequence[str], target: str) -> Chosen:
    """What dbt's own options select.

    Raises UsageError if nothing is selected, or if one of the selectors matches nothing.
    """
    options = place(target)
    manifest = dbt.parse_manifest(*options)
    graph, environment = read_graph(manifest), dbt.environment_of(manifest)
    listed, unmatched = dbt.list_nodes(*chosen, *options)
    for word in unmatched:
        raise _chooses_nothing(graph, word)
    nodes = [node for node in listed if node in graph.nodes]
    if not nodes:
        raise UsageError("The selection matches no node of the mesh.", [("got", " ".join(chosen))], "dbt ls lists them")
    return Chosen(graph, nodes, environment, manifest)


def _chooses_nothing(graph: Graph, word: str) -> UsageError:
    """An error for a selector such as `ordr_lines+` or `package:ordes`, which suggests the nearest name."""
    name = re.sub(r"^(?:@|\d*\+)?(?:[\w.]+:)?|\+\d*$", "", word)
    models = [node for node in graph.nodes.values() if node.kind != "test"]
    known = {text for node in models for text in (node.domain, node.label, node.label.split(".")[1], node.fqn)}
    near = nearest(name, sorted(known))
    hint = f" Did you mean {word.replace(name, near)}?" if near else ""
    return UsageError(
        f"{word} selects nothing, so nothing was built.{hint}", next_step="dbt ls lists what you can select"
    )


def forget_results(targets: Collection[str]) -> None:
    """Delete the results of an earlier build's steps."""
    for target in targets:
        for results in (find_root() / artifacts(target)).glob("run_results_*.json"):
            results.unlink()


@dataclass
class DbtSteps:
    """Runs a step as one dbt command and records how many seconds it took.

    `as_chosen` are the caller's own selectors, for a build of a single step. `tell` is called before each step with the
    number of the step, from 1; without it, dbt prints nothing either. `defer` gives more of dbt's options for a target.
    `ended` is called with the id and the status of each node that ends.
    """

    graph: Graph
    as_chosen: Sequence[str] | None
    flags: Sequence[str]
    tell: Callable[[int, Step], None] | None = None
    defer: Callable[[str], list[str]] | None = None
    ended: Callable[[str, str], None] | None = None
    seconds: list[float] = field(default_factory=list)

    def __call__(self, step: Step) -> Ran:
        if self.tell:
            self.tell(len(self.seconds) + 1, step)
        # A step's nodes include its tests: each test runs in the step by which everything it reads is built.
        names = repeated("--select", [f"fqn:{self.graph.nodes[node].fqn}" for node in step.nodes])
        chosen = [*names, "--indirect-selection", "empty"] if self.as_chosen is None else self.as_chosen
        # Tables that another engine builds may not exist yet, and this step does not need them.
        chosen = [*chosen, "--cache-selected-only", *(self.defer(step.target) if self.defer else [])]
        quiet = [] if self.tell else ["--quiet", "--log-level", "none"]
        began = monotonic()
        result = dbt.build(*chosen, *self.flags, *place(step.target), *quiet, ended=self.ended)
        self.seconds.append(monotonic() - began)
        results = getattr(result.result, "results", None) or []
        found = {r.node.unique_id: r for r in results if r.node.unique_id in self.graph.nodes}
        if found:
            _keep_results(step.target, len(self.seconds))
        if (stopped := dbt.stopped_by(result)) or not (found or result.success):
            return Ran({}, {}, ExitCode.WRONG_USE, stopped or "dbt stopped before its first node.")
        return Ran(
            statuses={node: str(r.status) for node, r in found.items()},
            messages={node: r.message or "" for node, r in found.items()},
            exit_code=ExitCode.FINE if result.success else ExitCode.FINDINGS,
            verdicts={node: str((r.adapter_response or {}).get("code")) for node, r in found.items()},
        )


def place(target: str) -> list[str]:
    """dbt's options for a target.

    Each engine has its own artifacts folder, because dbt parses from scratch if it finds those of another target.
    """
    return ["--target", target, "--target-path", artifacts(target)]


def artifacts(target: str) -> str:
    """The folder of dbt's files for a target, in the repository's root."""
    return f"{os.environ.get('DBT_TARGET_PATH') or 'target'}/{target}"


def _keep_results(target: str, step: int) -> None:
    """Copy a step's results, such as to target/emr/run_results_3.json: dbt overwrites run_results.json in each step."""
    folder = find_root() / artifacts(target)
    shutil.copyfile(folder / "run_results.json", folder / f"run_results_{step}.json")
