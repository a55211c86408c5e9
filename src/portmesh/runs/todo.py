"""What a run has to build: what is selected, without what an earlier try built and what waits for another product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from portmesh.dbt import with_variable
from portmesh.dbt_steps import Chosen
from portmesh.errors import ExitCode
from portmesh.runs.basis import find_basis
from portmesh.runs.inputs import held_inputs, input_ports
from portmesh.runs.outcome import Report
from portmesh.runs.progress import Progress, mesh_hash, open_progress
from portmesh.runs.records import PortRecord, read_records

RUN_VARIABLE = "PORTMESH_RUN"
"""What a publication's record has as its run."""


@dataclass(frozen=True)
class Todo:
    """The ids of the nodes to build, and whether the selection has more. `ended` is told of each node that ends."""

    nodes: list[str]
    is_less: bool
    ended: Callable[[str, str], None] | None


@contextmanager
def begin(
    report: Report,
    chosen: Chosen,
    is_resumed: bool,
    holds: Callable[[PortRecord], bool] | None,
    only_new_inputs: bool = False,
) -> Iterator[Todo]:
    """Find out what there is to build, and keep what ends, until the run ends. The report learns what is left out.

    What reads a port of another product waits if that port `holds` it back. With `only_new_inputs`, a whole product
    that the last run built from the same versions is left out.
    Raises UsageError if another process builds this run.
    """
    nodes = chosen.nodes
    with named(report, chosen, is_resumed) as progress:
        if progress or holds or only_new_inputs:
            _read_what_is_known(report, chosen, progress, holds)
        basis = find_basis(report, chosen) if report.records and not (report.held or report.done) else None
        if basis and only_new_inputs and basis.is_built(report.target):
            report.pass_over()
        left = [id_ for id_ in nodes if id_ not in report.done and id_ not in report.held]
        yield Todo(left, len(left) < len(nodes), progress.write if progress else None)
        if basis and left and report.outcome.exit_code == ExitCode.FINE:
            report.read_records_after()
            basis.as_left(report.records, report.run_name).keep(report.target)
    report.exit_code = report.outcome.exit_code
    if report.exit_code == ExitCode.FINE and _all_waits(report, chosen):
        report.exit_code = ExitCode.WAITING


def _read_what_is_known(
    report: Report, chosen: Chosen, progress: Progress | None, holds: Callable[[PortRecord], bool] | None
) -> None:
    """What the records say, which nodes an earlier try finished, and which are held back."""
    graph, nodes = chosen.graph, chosen.nodes
    inputs = input_ports(graph, nodes)
    of_others = {id_ for ports in inputs.values() for id_ in ports}
    report.records = read_records(of_others | {id_ for id_ in nodes if graph.nodes[id_].is_port}, report.target)
    if progress:
        report.done = frozenset(progress.done(graph, nodes, report.records))
    held = held_inputs(inputs, report.records, holds) if holds else {}
    report.held = {id_: ports for id_, ports in held.items() if id_ not in report.done}
    report.outcome.waits_for |= report.held


@contextmanager
def named(report: Report, chosen: Chosen, is_locked: bool) -> Iterator[Progress | None]:
    """Record what is published under the run's name. Only one process at a time builds a run that is locked.

    Gives the run's progress if it is locked. Raises UsageError if another process builds it.
    """
    mesh = mesh_hash(chosen.manifest, report.target, chosen.environment, *report.flags) if is_locked else ""
    with open_progress(report.run, mesh) if is_locked else nullcontext() as progress:
        report.run_name = progress.name if progress else report.run
        with with_variable(RUN_VARIABLE, report.run_name):
            yield progress


def _all_waits(report: Report, chosen: Chosen) -> bool:
    """Whether every selected port waits for another product, or, if none is selected, every node."""
    ports = [id_ for id_ in chosen.nodes if chosen.graph.nodes[id_].is_port]
    return bool(report.held) and all(id_ in report.held for id_ in ports or chosen.nodes)
