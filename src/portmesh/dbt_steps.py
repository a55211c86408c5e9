"""The steps of a build as dbt commands, and what each wrote."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from time import monotonic

from portmesh import dbt
from portmesh.building import Graph, Ran, Step, read_graph
from portmesh.errors import ExitCode, UsageError
from portmesh.repository import find_root


def repeated(option: str, values: Sequence[str] | None) -> list[str]:
    """`--select a --select b`."""
    return [word for value in values or [] for word in (option, value)]


def read_chosen(chosen: Sequence[str], target: str) -> tuple[Graph, list[str]]:
    """The graph of the mesh, and the ids in it that dbt's own options choose.

    Raises UsageError where nothing is chosen, or one word of the options chooses nothing.
    """
    place = _place(target)
    graph = read_graph(dbt.parse_manifest(*place))
    listed, unmatched = dbt.list_nodes(*chosen, *place)
    for word in unmatched:
        raise _chooses_nothing(graph, word)
    nodes = [node for node in listed if node in graph.nodes]
    if not nodes:
        raise UsageError("Nothing of the mesh is selected.", [("got", " ".join(chosen))], "dbt ls shows what is")
    return graph, nodes


def _chooses_nothing(graph: Graph, word: str) -> UsageError:
    """Of a word such as `ordr_lines+` or `package:ordes`, with the nearest name that there is."""
    name = re.sub(r"^(?:@|\d*\+)?(?:[\w.]+:)?|\+\d*$", "", word)
    models = [node for node in graph.nodes.values() if node.kind != "test"]
    known = {text for node in models for text in (node.domain, node.label, node.label.split(".")[1], node.fqn)}
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f" Did you mean {word.replace(name, near[0])}?" if near else ""
    return UsageError(f"{word} selects nothing, so nothing was built.{hint}", next_step="dbt ls shows what there is")


def forget_results(targets: Collection[str]) -> None:
    """Delete what the steps of an earlier build left."""
    for target in targets:
        for results in (find_root() / _artifacts(target)).glob("run_results_*.json"):
            results.unlink()


@dataclass
class DbtSteps:
    """Runs a step as one dbt command, and keeps how long each took. A single step is chosen as the caller chose it.

    `tell` is called with the number of a step, from 1 on, before it runs; without it dbt is silent too.
    """

    graph: Graph
    as_chosen: Sequence[str] | None
    flags: Sequence[str]
    tell: Callable[[int, Step], None] | None = None
    seconds: list[float] = field(default_factory=list)

    def __call__(self, step: Step) -> Ran:
        if self.tell:
            self.tell(len(self.seconds) + 1, step)
        # Tests are among the nodes: each runs in the step in which all that it reads is there.
        names = repeated("--select", [f"fqn:{self.graph.nodes[node].fqn}" for node in step.nodes])
        chosen = [*names, "--indirect-selection", "empty"] if self.as_chosen is None else self.as_chosen
        # What another engine builds may not be there yet, and is none of this step's business.
        chosen = [*chosen, "--cache-selected-only"]
        quiet = [] if self.tell else ["--quiet", "--log-level", "none"]
        began = monotonic()
        result = dbt.build(*chosen, *self.flags, *_place(step.target), *quiet)
        self.seconds.append(monotonic() - began)
        results = getattr(result.result, "results", None) or []
        found = {r.node.unique_id: r for r in results if r.node.unique_id in self.graph.nodes}
        if found:
            _keep_results(step.target, len(self.seconds))
        if (stopped := dbt.stopped_by(result)) or not (found or result.success):
            return Ran({}, {}, ExitCode.WRONG_USE, stopped or "dbt ended before its first node.")
        return Ran(
            statuses={node: str(r.status) for node, r in found.items()},
            messages={node: r.message or "" for node, r in found.items()},
            exit_code=ExitCode.FINE if result.success else ExitCode.FINDINGS,
        )


def _place(target: str) -> list[str]:
    """An engine's artifacts lie in a folder of their own: dbt parses anew where it finds those of another target."""
    return ["--target", target, "--target-path", _artifacts(target)]


def _artifacts(target: str) -> str:
    return f"{os.environ.get('DBT_TARGET_PATH') or 'target'}/{target}"


def _keep_results(target: str, step: int) -> None:
    """dbt writes each step of an engine to the same file: a copy of each, such as target/emr/run_results_3.json."""
    folder = find_root() / _artifacts(target)
    shutil.copyfile(folder / "run_results.json", folder / f"run_results_{step}.json")
