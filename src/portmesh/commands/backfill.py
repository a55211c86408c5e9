"""`portmesh backfill`: publish the batches of a port one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from portmesh.building import Graph, Step, build_steps, plan_steps
from portmesh.commands.alert import teller
from portmesh.commands.options import AsJson, Target
from portmesh.dbt import run_operation
from portmesh.dbt_steps import DbtSteps, read_chosen
from portmesh.errors import ExitCode, RequestError, not_allowed
from portmesh.lake.targets import LOCAL, target_or_default
from portmesh.output import console, errors_as_json, print_json
from portmesh.runs.backfill import Backfill, choose_between, choose_named, fill, read_batches
from portmesh.runs.outcome import Report, new_run, reported
from portmesh.runs.progress import built_from
from portmesh.runs.todo import named
from portmesh.text import count, facts_block


def backfill(
    port: Annotated[str, typer.Argument(metavar="PORT", help="Such as orders.order_lines.")],
    batches: Annotated[
        str | None, typer.Option(metavar="NAMES", help="The batches, separated by commas, in this order.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="The first day: the one in a batch's name, or of its landing."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="DAY", help="The last day, included.")] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="This run's name: only one process at a time builds it.")
    ] = None,
    outcome: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what became of the port as JSON, whatever happens.")
    ] = None,
    alert: Annotated[bool, typer.Option("--alert", help="Tell the port's owner if a batch is refused.")] = False,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Publish the batches of a port one by one.

    Each is audited and published once. Batches that are published already are skipped, so a killed backfill goes on
    with the same command. It stops at the first batch that is refused; what was published before stays.
    """
    target = target_or_default(target)
    of_domain = ["--select", f"package:{port.partition('.')[0]}"]
    report = Report(target, of_domain, resume or new_run())
    with errors_as_json(as_json), reported(report, outcome, teller(report, as_json) if alert else None):
        wanted = _wanted(batches, from_, to)
        run_operation("check_rules", target=target)
        whole = read_chosen(of_domain, target)
        report.chosen = replace(whole, nodes=_port_and_checks(whole.graph, port))
        graph = whole.graph if target != LOCAL else Graph(whole.graph.nodes, {})
        with named(report, whole, is_locked=resume is not None):
            result = _fill(report, graph, wanted, quiet=as_json)
        report.exit_code = report.outcome.exit_code
        report.more = {"backfill": vars(result)}
        if as_json:
            print_json(report.facts())
        else:
            _print(report, port, result)
    raise typer.Exit(report.exit_code)


Wanted = tuple[list[str], date | None, date | None]


def _wanted(batches: str | None, from_: str | None, to: str | None) -> Wanted:
    names = [name.strip() for name in (batches or "").split(",") if name.strip()]
    if bool(names) == bool(from_ and to) or bool(from_) != bool(to):
        raise RequestError(
            "Nothing was built: it needs either batches or two days.",
            [("allowed", "--batches 2017-W20,2017-W21, or --from 2017-05-15 --to 2017-05-28")],
        )
    return names, _day(from_, "--from"), _day(to, "--to")


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise RequestError(f"{option} is not a day.", [("got", text), ("allowed", "2017-05-15")]) from error


def _port_and_checks(graph: Graph, port: str) -> list[str]:
    """The port's id, then its checks'."""
    ports = {node.label: id_ for id_, node in graph.nodes.items() if node.is_port}
    if port not in ports:
        raise not_allowed("port", port, sorted(ports), error=RequestError)
    return [ports[port], *(id_ for id_, node in graph.nodes.items() if node.attached_to == ports[port])]


def _fill(report: Report, graph: Graph, wanted: Wanted, quiet: bool) -> Backfill:
    names, first, last = wanted
    port, *checks = report.nodes
    label = graph.nodes[port].label
    before = sorted(id_ for id_ in built_from(graph, port) if id_ in graph.nodes)
    run = DbtSteps(graph, None, (), (lambda _, step: _tell(graph, step)) if not quiet else None)
    build_steps(graph, plan_steps(graph, before, report.target), run, report.outcome)
    if report.outcome.exit_code != ExitCode.FINE:
        return Backfill(left=names)
    found = read_batches(label, report.target)
    chosen = choose_named(found, names) if names else choose_between(found, first or date.min, last or date.max)
    (step,) = plan_steps(graph, [port], report.target)
    return fill(graph, [Step(step.target, (port, *checks))], chosen, run, report.outcome)


def _tell(graph: Graph, step: Step) -> None:
    console().print(f"\n{count(len(step.nodes), 'node')} of {graph.nodes[step.nodes[0]].domain}\n", markup=False)


def _print(report: Report, port: str, result: Backfill) -> None:
    facts = [
        ("published", result.published),
        ("already published", result.before),
        ("nothing new in", result.empty),
        ("stopped at", [result.stopped_at] if result.stopped_at else []),
        ("not tried", result.left),
    ]
    told = [(label, ", ".join(names)) for label, names in facts if names]
    done = f"{count(len(result.published), 'batch', 'batches')} of {port} published."
    out = console()
    out.print(f"\n{done}\n\n{facts_block(told)}", markup=False, soft_wrap=True)
    for text in [*report.outcome.errors.values(), *(report.message(node) for node in report.outcome.failed)]:
        out.print(f"\n{text}", markup=False, soft_wrap=True)
