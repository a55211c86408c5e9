"""`portmesh build`: build each domain on its own engine, as one run with one result."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from portmesh.building import FAILED, Graph, Outcome, Step, build_steps, plan_steps, port_states
from portmesh.commands.options import AsJson, Target
from portmesh.dbt import run_operation
from portmesh.dbt_steps import DbtSteps, forget_results, read_chosen, repeated
from portmesh.lake.targets import TARGET_VARIABLE
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.text import count, facts_block

LOCAL = "local"


def build(
    select: Annotated[
        list[str] | None,
        typer.Option("--select", "-s", metavar="NODES", help="What to build, in dbt's selection syntax."),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="NODES", help="What to leave out.")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild incremental ports from scratch.")
    ] = False,
    engine_from_meta: Annotated[
        bool,
        typer.Option(
            help="Build each domain on the engine that its group names (config.meta.engine), or all on --target. "
            "With the target local, everything is built locally."
        ),
    ] = True,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Build each domain on its own engine, in dependency order.

    If something fails, only what depends on it is held back.
    """
    target = target or os.environ.get(TARGET_VARIABLE) or LOCAL
    chosen = [*repeated("--select", select), *repeated("--exclude", exclude)]
    flags = ["--full-refresh"] if full_refresh else []
    with errors_as_json(as_json):
        run_operation("check_rules", target=target)
        graph, nodes = read_chosen(chosen, target)
        if not engine_from_meta or target == LOCAL:
            graph = Graph(graph.nodes, {})
        steps = plan_steps(graph, nodes, target)
    forget_results({step.target for step in steps})

    def tell(number: int, step: Step) -> None:
        what = f"{count(len(step.nodes), 'node')} of {', '.join(_domains(graph, step))}"
        console().print(f"\nstep {number} of {len(steps)}, {step.target}: {what}\n", markup=False)

    run = DbtSteps(graph, chosen if len(steps) == 1 else None, flags, None if as_json else tell)
    outcome = build_steps(graph, steps, run)
    if as_json:
        print_json(_facts(graph, steps, outcome))
    else:
        _print(graph, steps, outcome, run.seconds)
    raise typer.Exit(outcome.exit_code)


def _domains(graph: Graph, step: Step) -> list[str]:
    return sorted({graph.nodes[node].domain for node in step.nodes})


def _facts(graph: Graph, steps: Sequence[Step], outcome: Outcome) -> dict[str, Any]:
    return {
        "steps": [{"target": step.target, "products": _domains(graph, step), "nodes": step.nodes} for step in steps],
        "ports": port_states(graph, steps, outcome),
        "statuses": outcome.statuses,
        "waits_for": outcome.waits_for,
        "errors": outcome.errors,
        "exit_code": int(outcome.exit_code),
    }


def _print(graph: Graph, steps: Sequence[Step], outcome: Outcome, seconds: Sequence[float]) -> None:
    states = list(port_states(graph, steps, outcome).values())
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
    """The labels of up to three failed nodes. Tests are named only if no model failed."""
    of_models = [cause for cause in causes if graph.nodes[cause].kind not in ("test", "unit_test")]
    told = [graph.nodes[cause].label for cause in of_models or causes]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _first_line(text: str) -> str:
    """The sentence of an error. The lines that dbt prints before it name only the kind of error and its place."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not re.fullmatch(r"[\w ]+ Error( in .*)?", line)]
    return (told or lines or [""])[0]
