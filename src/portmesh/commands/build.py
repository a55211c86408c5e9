"""`portmesh build`: build each domain on its own engine, as one run with one result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from portmesh.building import FAILED, Graph, Outcome, Ran, Step, build_steps, plan_steps
from portmesh.commands.alert import teller
from portmesh.commands.options import AsJson, Target
from portmesh.dbt import parsed_once, run_operation
from portmesh.dbt_steps import DbtSteps, forget_results, from_file, read_chosen, repeated
from portmesh.deferring import read_deferral
from portmesh.errors import ExitCode
from portmesh.git_refs import describe_commit
from portmesh.lake.targets import LOCAL, target_or_default
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.production import PROD, Keeper
from portmesh.repository import find_root
from portmesh.runs.inputs import has_no_version, is_held_back
from portmesh.runs.outcome import PORT_STATES, Report, new_run, plain_message, reported
from portmesh.runs.todo import begin
from portmesh.state import current_state
from portmesh.text import count, facts_block


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
    select_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to build, as portmesh plan wrote it. If it is empty, build nothing."),
    ] = None,
    defer_to: Annotated[
        str | None,
        typer.Option(
            metavar="STATE", help="Read what is not built here from production: as it last ran, or as of a git ref."
        ),
    ] = None,
    favor_state: Annotated[
        bool, typer.Option("--favor-state", help="With --defer-to, even if this environment has a table of its own.")
    ] = False,
    outcome: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what became of each port as JSON, whatever happens."),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="This run's name: what an earlier try of it finished is not built again."),
    ] = None,
    wait_for_inputs: Annotated[
        bool,
        typer.Option(
            "--wait-for-inputs",
            help="Leave out what reads another product's port that is held back or has no version yet.",
        ),
    ] = False,
    wait_for_missing_inputs: Annotated[
        bool,
        typer.Option(
            "--wait-for-missing-inputs", help="Leave out only what reads another product's port without a version."
        ),
    ] = False,
    only_new_inputs: Annotated[
        bool,
        typer.Option(
            "--only-new-inputs",
            help="Build nothing if production's last run built the whole product from the same versions of its inputs.",
        ),
    ] = False,
    alert: Annotated[
        bool, typer.Option("--alert", help="Tell the owners of refused ports and failed runs, in their channels.")
    ] = False,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Build each domain on its own engine, in dependency order.

    If something fails, only what depends on it is held back. In production it records what it ran, for portmesh plan.
    """
    target = target_or_default(target)
    chosen = [*repeated("--select", select), *repeated("--exclude", exclude)]
    report = Report(target, chosen, resume or new_run(), ["--full-refresh"] if full_refresh else [])
    tell = teller(report, as_json) if alert else None
    with parsed_once(), errors_as_json(as_json), reported(report, outcome, tell):
        if select_file:
            chosen += from_file(select_file)
        if select_file and not chosen:
            _print_nothing(select_file, as_json)
            report.exit_code = ExitCode.FINE
        else:
            run_operation("check_rules", target=target)
            found = report.chosen = read_chosen(chosen, target)
            deferral = read_deferral(defer_to, target, found, favor_state) if defer_to else None
            graph = found.graph if engine_from_meta and target != LOCAL else Graph(found.graph.nodes, {})
            holds = is_held_back if wait_for_inputs else has_no_version if wait_for_missing_inputs else None
            with begin(report, found, resume is not None, holds, only_new_inputs) as todo:
                steps = plan_steps(graph, todo.nodes, target)
                is_kept = bool(steps) and found.environment == PROD
                keeper = _keeper(target, frozenset(todo.nodes)) if is_kept else None
                run = DbtSteps(
                    *(graph, None if len(steps) > 1 or todo.is_less else chosen),
                    flags=report.flags,
                    tell=None if as_json else _teller(graph, steps),
                    defer=cache(deferral.options) if deferral else None,
                    ended=todo.ended,
                )
                _build(graph, steps, run, keeper, report.outcome)
            if as_json:
                print_json(_facts(report, steps))
            elif report.is_passed_over:
                console().print(
                    "Nothing was built: the last run built all of it from the versions that its inputs have."
                )
            else:
                _print(report, steps, run.seconds)
            if keeper and keeper.fault:
                fault = f"\nWhat ran was not recorded for portmesh plan. {keeper.fault}"
                console(stderr=True).print(fault, markup=False)
    raise typer.Exit(report.exit_code)


def _build(graph: Graph, steps: Sequence[Step], run: DbtSteps, keeper: Keeper | None, outcome: Outcome) -> None:
    def run_and_keep(step: Step) -> Ran:
        ran = run(step)
        if keeper:
            keeper.keep(ran.statuses)
        return ran

    forget_results({step.target for step in steps})
    build_steps(graph, steps, run_and_keep, outcome)


def _teller(graph: Graph, steps: Sequence[Step]) -> Callable[[int, Step], None]:
    def tell(number: int, step: Step) -> None:
        what = f"{count(len(step.nodes), 'node')} of {', '.join(_domains(graph, step))}"
        console().print(f"\nstep {number} of {len(steps)}, {step.target}: {what}\n", markup=False)

    return tell


def _keeper(target: str, nodes: AbstractSet[str]) -> Keeper:
    """What records this run of production. The SQL is as portmesh plan compares it: of a mesh without any tables.

    Only the nodes that run, and the checks of ports among them, are recorded, so dbt compiles no others.
    """

    def runs(node: Any, _: object) -> bool:
        return node.unique_id in nodes or getattr(node, "attached_node", None) in nodes

    return Keeper(current_state(target, runs).manifest, target, describe_commit(find_root()))


def _print_nothing(select_file: Path, as_json: bool) -> None:
    if as_json:
        print_json({"steps": [], "ports": {}, "statuses": {}, "waits_for": {}, "errors": {}, "exit_code": 0})
    else:
        console().print(f"Nothing to build: {select_file} selects nothing.", markup=False)


def _domains(graph: Graph, step: Step) -> list[str]:
    return sorted({graph.nodes[node].domain for node in step.nodes})


def _facts(report: Report, steps: Sequence[Step]) -> dict[str, Any]:
    graph = report.graph
    return {
        "steps": [{"target": step.target, "products": _domains(graph, step), "nodes": step.nodes} for step in steps],
        "ports": report.states(),
        "statuses": report.outcome.statuses,
        "waits_for": report.outcome.waits_for,
        "errors": report.outcome.errors,
        "exit_code": int(report.exit_code),
    }


def _print(report: Report, steps: Sequence[Step], seconds: Sequence[float]) -> None:
    graph, outcome = report.graph, report.outcome
    states = list(report.states().values())
    ports = ", ".join(f"{states.count(s)} {s.replace('_', ' ')}" for s in PORT_STATES if s in states) or "no port"
    engines = count(len({step.target for step in steps}), "engine")
    out = console()
    built = f"Built on {engines}, in {count(len(steps), 'step')}, {sum(seconds):,.0f} s."
    out.print(f"\n{built if steps else 'Nothing was built.'} Ports: {ports}.{_of_an_earlier_try(report)}\n")
    rows = [(step.target, ", ".join(_domains(graph, step)), *_counts(step, outcome)) for step in steps]
    if rows:
        out.print(table(("engine", "products", "nodes", "failed", "waiting"), rows, ("nodes", "failed", "waiting")))
    notes = [(target, _first_line(error)) for target, error in outcome.errors.items()]
    notes += [
        (graph.nodes[node].label, _first_line(outcome.messages[node]))
        for node in outcome.failed
        if node in outcome.messages
    ]
    notes += [
        (graph.nodes[node].label, report.wait_in_words(node) or f"waits for {_told(graph, causes)}")
        for node, causes in sorted(outcome.waits_for.items())
        if graph.nodes[node].kind == "model" and graph.nodes[node].is_port
    ]
    if notes:
        out.print(f"\n{facts_block(notes)}", markup=False, soft_wrap=True)


def _of_an_earlier_try(report: Report) -> str:
    return f" An earlier try of this run had finished {count(len(report.done), 'node')}." if report.done else ""


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
    """The sentence of an error."""
    return plain_message(text).partition("\n")[0].strip()
