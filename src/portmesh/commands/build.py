"""`portmesh build`: build every domain on the engine that it states, as one run with one verdict."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated, Any

import typer

from portmesh import dbt
from portmesh.building import FAILED, Graph, Outcome, Ran, Step, build_steps, plan_steps, read_graph
from portmesh.commands.options import AsJson, Target
from portmesh.errors import ExitCode, FindingsError
from portmesh.lake.targets import TARGET_VARIABLE
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.repository import find_root
from portmesh.text import count, facts_block

LOCAL = "local"


def build(
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", metavar="NODES", help="What to build, as dbt selects.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="NODES", help="What not to build.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build incremental ports anew.")] = False,
    engine_from_meta: Annotated[
        bool,
        typer.Option(
            help="Build each domain on the engine that its group states (config.meta.engine), or all on the target. "
            "On the target local, everything is local."
        ),
    ] = True,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Build the mesh, each domain on its own engine, in order; a failure holds back only what reads it."""
    target = target or os.environ.get(TARGET_VARIABLE) or LOCAL
    chosen = [*_repeated("--select", select), *_repeated("--exclude", exclude)]
    flags = ["--full-refresh"] if full_refresh else []
    with errors_as_json(as_json):
        dbt.run_operation("check_rules", target=target)
        graph, nodes = _read(chosen, target)
        if not engine_from_meta or target == LOCAL:
            graph = Graph(graph.nodes, {})
        steps = plan_steps(graph, nodes, target)
    _forget_results({step.target for step in steps})
    run = _Run(graph, len(steps), chosen if len(steps) == 1 else None, flags, as_json)
    outcome = build_steps(graph, steps, run)
    if as_json:
        print_json(_facts(graph, steps, outcome))
    else:
        _print(graph, steps, outcome, run.seconds)
    raise typer.Exit(outcome.exit_code)


def _repeated(option: str, values: Sequence[str] | None) -> list[str]:
    return [word for value in values or [] for word in (option, value)]


def _read(chosen: Sequence[str], target: str) -> tuple[Graph, list[str]]:
    place = _place(target)
    graph = read_graph(dbt.parse_manifest(*place))
    nodes = [node for node in dbt.list_nodes(*chosen, *place) if node in graph.nodes]
    if not nodes:
        raise FindingsError("Nothing of the mesh is selected.", [("got", " ".join(chosen))], "dbt ls shows what is")
    return graph, nodes


def _place(target: str) -> list[str]:
    """An engine's artifacts lie in a folder of their own: dbt parses anew where it finds those of another target."""
    return ["--target", target, "--target-path", _artifacts(target)]


def _artifacts(target: str) -> str:
    return f"{os.environ.get('DBT_TARGET_PATH') or 'target'}/{target}"


def _forget_results(targets: Collection[str]) -> None:
    for target in targets:
        for results in (find_root() / _artifacts(target)).glob("run_results_*.json"):
            results.unlink()


def _keep_results(target: str, step: int) -> None:
    """dbt writes each step of an engine to the same file: a copy of each, such as target/emr/run_results_3.json."""
    folder = find_root() / _artifacts(target)
    shutil.copyfile(folder / "run_results.json", folder / f"run_results_{step}.json")


@dataclass
class _Run:
    """Runs a step as one dbt command, and keeps how long each took. A single step is chosen as the caller chose it."""

    graph: Graph
    steps: int
    as_chosen: Sequence[str] | None
    flags: Sequence[str]
    quiet: bool
    seconds: list[float] = field(default_factory=list)

    def __call__(self, step: Step) -> Ran:
        if not self.quiet:
            what = f"{count(len(step.nodes), 'node')} of {', '.join(_domains(self.graph, step))}"
            console().print(f"\nstep {len(self.seconds) + 1} of {self.steps}, {step.target}: {what}\n", markup=False)
        # Tests are among the nodes: each runs in the step in which all that it reads is there.
        names = _repeated("--select", [f"fqn:{self.graph.nodes[node].fqn}" for node in step.nodes])
        chosen = [*names, "--indirect-selection", "empty"] if self.as_chosen is None else self.as_chosen
        # What another engine builds may not be there yet, and is none of this step's business.
        chosen = [*chosen, "--cache-selected-only"]
        quiet = ["--quiet", "--log-level", "none"] if self.quiet else []
        began = monotonic()
        result = dbt.build(*chosen, *self.flags, *_place(step.target), *quiet)
        self.seconds.append(monotonic() - began)
        results = getattr(result.result, "results", None) or []
        found = {r.node.unique_id: r for r in results if r.node.unique_id in self.graph.nodes}
        if found:
            _keep_results(step.target, len(self.seconds))
        return Ran(
            statuses={node: str(r.status) for node, r in found.items()},
            messages={node: r.message or "" for node, r in found.items()},
            exit_code=ExitCode.FINE if result.success else ExitCode.FINDINGS if found else ExitCode.WRONG_USE,
            error=""
            if found or result.success
            else str(result.exception or "dbt ended before its first node.").strip(),
        )


def _domains(graph: Graph, step: Step) -> list[str]:
    return sorted({graph.nodes[node].domain for node in step.nodes})


def _facts(graph: Graph, steps: Sequence[Step], outcome: Outcome) -> dict[str, Any]:
    return {
        "steps": [{"target": step.target, "products": _domains(graph, step), "nodes": step.nodes} for step in steps],
        "ports": _port_states(graph, steps, outcome),
        "statuses": outcome.statuses,
        "waits_for": outcome.waits_for,
        "errors": outcome.errors,
        "exit_code": int(outcome.exit_code),
    }


def _port_states(graph: Graph, steps: Sequence[Step], outcome: Outcome) -> Mapping[str, str]:
    """Ports by label: published, failed or waiting."""
    ports = {node for step in steps for node in step.nodes if graph.nodes[node].is_port}
    states = {}
    for node in sorted(ports):
        status = outcome.statuses.get(node, "")
        states[graph.nodes[node].label] = (
            "waiting" if node in outcome.waits_for else "failed" if status in FAILED else "published"
        )
    return states


def _print(graph: Graph, steps: Sequence[Step], outcome: Outcome, seconds: Sequence[float]) -> None:
    states = list(_port_states(graph, steps, outcome).values())
    ports = ", ".join(f"{states.count(s)} {s}" for s in ("published", "failed", "waiting") if s in states) or "no port"
    engines = count(len({step.target for step in steps}), "engine")
    out = console()
    out.print(f"\nBuilt on {engines}, in {count(len(steps), 'step')}, {sum(seconds):,.0f} s. Ports: {ports}.\n")
    rows = [(step.target, ", ".join(_domains(graph, step)), *_counts(step, outcome)) for step in steps]
    out.print(table(("engine", "products", "nodes", "failed", "waiting"), rows, ("nodes", "failed", "waiting")))
    notes = [(target, _first_line(error)) for target, error in outcome.errors.items()]
    notes += [
        (graph.nodes[node].label, _first_line(outcome.messages[node]))
        for node in outcome.failed
        if node in outcome.messages
    ]
    notes += [
        (graph.nodes[node].label, f"waits for {_told(graph, causes)}")
        for node, causes in sorted(outcome.waits_for.items())
        if graph.nodes[node].kind == "model" and graph.nodes[node].is_port
    ]
    if notes:
        out.print(f"\n{facts_block(notes)}", markup=False, soft_wrap=True)


def _counts(step: Step, outcome: Outcome) -> tuple[str, str, str]:
    failed = sum(outcome.statuses.get(node) in FAILED for node in step.nodes)
    waiting = sum(node in outcome.waits_for for node in step.nodes)
    return f"{len(step.nodes):,}", f"{failed:,}", f"{waiting:,}"


def _told(graph: Graph, causes: Sequence[str]) -> str:
    """Up to three of what failed: models before the tests that failed with them."""
    of_models = [cause for cause in causes if graph.nodes[cause].kind not in ("test", "unit_test")]
    told = [graph.nodes[cause].label for cause in of_models or causes]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _first_line(text: str) -> str:
    """The sentence of an error: dbt says on lines before it what kind it is, and where."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not re.fullmatch(r"[\w ]+ Error( in .*)?", line)]
    return (told or lines or [""])[0]
