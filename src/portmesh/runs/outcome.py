"""The outcome of a run as one JSON file, which a scheduler reads: it is written whatever happens, in one step."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from types import FrameType
from typing import Any
from uuid import uuid4

from rich.text import Text

from portmesh.building import FAILED, NOT_STARTED, Graph, Outcome
from portmesh.dbt_steps import Chosen, read_chosen
from portmesh.errors import ExitCode, FindingsError, PortmeshError, RequestError, UsageError
from portmesh.runs.inputs import wait_in_words
from portmesh.runs.records import Attempt, PortRecord, read_records
from portmesh.text import printable_lines

VERSION = 1
STATES = {"published": "published", "nothing new in": "unchanged", "passed over": "unchanged"}
"""The state of a port that was built, by the word that write_audit_publish gives dbt."""
PORT_STATES = ("published", "unchanged", "refused", "failed", "waiting", "not_built")
STOPPED = "The run was stopped from outside (SIGTERM) before it ended."


class Stopped(KeyboardInterrupt):
    """SIGTERM came: dbt cancels its statements, as after Ctrl+C."""


@dataclass
class Report:
    """What is known of a run while it goes on. `selectors` are dbt's; `chosen` is unknown if it stopped before.

    `flags` are dbt's. `run_name` stands in the records of what the run publishes.
    `held` has the nodes that wait for a refused port of another product, and `done` those that an earlier try built.
    `is_passed_over`: an earlier run built all of them from the same versions. `is_read`: the records are as the run
    left them.
    """

    target: str
    selectors: Sequence[str]
    run: str
    flags: Sequence[str] = ()
    run_name: str = ""
    chosen: Chosen | None = None
    outcome: Outcome = field(default_factory=Outcome)
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    is_passed_over: bool = False
    records: Mapping[str, PortRecord] = field(default_factory=dict)
    is_read: bool = False
    exit_code: int = ExitCode.FINDINGS
    error: str = ""
    is_request_wrong: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        return self.chosen.graph if self.chosen else Graph({}, {})

    @property
    def nodes(self) -> list[str]:
        return self.chosen.nodes if self.chosen else []

    def wait_in_words(self, id_: str) -> str:
        """Which port of another product a node waits for; empty if none."""
        return wait_in_words(self.graph, self.held[id_], self.records) if id_ in self.held else ""

    def facts(self) -> dict[str, Any]:
        """What the file says."""
        self._ask_what_is_selected()
        self.read_records_after()
        graph, nodes = self.graph, self.nodes
        waits = self.outcome.waits_for
        errors = {**self.outcome.errors, **({self.target: self.error} if self.error else {})}

        def label(id_: str) -> str:
            return graph.nodes[id_].label

        return {
            "version": VERSION,
            "run": self.run,
            "target": self.target,
            "products": sorted({graph.nodes[id_].domain for id_ in nodes}),
            "exit_code": int(self.exit_code),
            "is_request_wrong": self.is_request_wrong,
            "ports": {label(id_): self._of_port(id_) for id_ in sorted(nodes, key=label) if graph.nodes[id_].is_port},
            "waits_for": {label(id_): [label(one) for one in waits[id_]] for id_ in sorted(waits)},
            "failed": {label(id_): self.message(id_) for id_ in self.outcome.failed},
            "errors": {target: plain_message(text) for target, text in errors.items()},
            **self.more,
        }

    def _ask_what_is_selected(self) -> None:
        if not self.chosen:
            with suppress(PortmeshError):
                self.chosen = read_chosen(self.selectors, self.target)

    def pass_over(self) -> None:
        """Build nothing: every port is unchanged."""
        self.is_passed_over, self.done = True, frozenset(self.nodes)
        self.outcome.verdicts |= {id_: "passed over" for id_ in self.nodes if self.graph.nodes[id_].is_port}

    def read_records_after(self) -> None:
        """Read what the records of the selected ports say after the run, once."""
        is_away = self.error and self.exit_code == ExitCode.WRONG_USE
        if self.chosen and not (is_away or self.is_read):
            ports = {id_ for id_ in self.chosen.nodes if self.chosen.graph.nodes[id_].is_port}
            try:
                self.records = {**self.records, **read_records(ports, self.target, with_checks=True)}
                self.is_read = True
            except PortmeshError as error:
                self.outcome.errors.setdefault("records", f"The records could not be read: {error}")

    def states(self) -> dict[str, str]:
        """The state of each port by label, as `facts` has it. The records are asked only for what dbt did not say."""
        nodes, outcome = self.graph.nodes, self.outcome
        ports = [id_ for id_ in self.nodes if nodes[id_].is_port]
        ended = [id_ for id_ in ports if outcome.statuses.get(id_, NOT_STARTED) not in (NOT_STARTED, "skipped")]
        if any(outcome.verdicts.get(id_) not in STATES and id_ not in outcome.waits_for for id_ in ended):
            self.read_records_after()
        found = {nodes[id_].label: self._state(id_, self.records.get(id_, PortRecord())) for id_ in ports}
        return dict(sorted(found.items()))

    def _of_port(self, id_: str) -> dict[str, Any]:
        record = self.records.get(id_, PortRecord())
        version = publication(record.current) if record.current else None
        state = self._state(id_, record)
        refused = record.refused if state == "refused" else None
        message = self.message(id_)
        if state == "waiting":
            message = wait_in_words(self.graph, self.outcome.waits_for.get(id_, ()), self.records)
        candidate = re.search(r"^ *the candidate +(\S+)$", message, re.MULTILINE)
        return {
            "state": state,
            "message": message,
            "candidate": candidate[1] if candidate else "",
            "failed_checks": record.failed_checks if refused else [],
            "batches": refused.batch_names if refused else None,
            **({"consumers_read": version} if id_ in self.records else {}),
            "publications": [publication(one) for one in record.publications],
            "has_older_publications": record.has_older_publications,
        }

    def _state(self, id_: str, record: PortRecord) -> str:
        status = self.outcome.statuses.get(id_, "")
        if id_ in self.outcome.waits_for or status == "skipped":
            return "waiting"
        of_a_try = record.verdict_in(self.run_name)
        if status == NOT_STARTED or not (status or id_ in self.done):
            return of_a_try or "not_built"
        if status in FAILED:
            said = f"{self.graph.nodes[id_].label} was not published. " in self.outcome.messages.get(id_, "")
            return "refused" if said and record.refused else "failed"
        return STATES.get(self.outcome.verdicts.get(id_, ""), of_a_try or "published")

    def message(self, id_: str) -> str:
        """dbt's message about a node, as its own text."""
        return plain_message(self.outcome.messages.get(id_, ""))


def publication(attempt: Attempt) -> dict[str, Any]:
    """A published version as an outcome lists it."""
    return {
        "version": attempt.version,
        "sequence": attempt.sequence,
        "published_at": f"{attempt.at.isoformat(timespec='seconds')}Z",
        "rows": attempt.row_count,
        "batches": attempt.batch_names,
    }


def plain_message(text: str) -> str:
    """A message without colours and without dbt's lines that name the kind of error and its place."""
    lines = Text.from_ansi(text).plain.split("\n")
    while len(lines) > 1 and (not lines[0].strip() or re.fullmatch(r"\s*[\w ]+ Error( in .*)?", lines[0])):
        del lines[0]
    return printable_lines(dedent("\n".join(lines)).strip())


def new_run() -> str:
    """A name for a run that was given none."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"


@contextmanager
def reported(
    report: Report, file: Path | None, tell: Callable[[Mapping[str, Any]], None] | None = None
) -> Iterator[None]:
    """Write the outcome to the file when the run ends: with its exit code, an error, or SIGTERM. Then `tell` it.

    Raises UsageError at once if the file cannot be written.
    """
    if not file and not tell:
        yield
        return
    if file:
        _prepare(file)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except PortmeshError as error:
        report.exit_code, report.error = error.exit_code, str(error)
        report.is_request_wrong = isinstance(error, RequestError)
        raise
    except Stopped as error:
        report.error = STOPPED
        raise FindingsError(STOPPED, next_step="the same command") from error
    except Exception as error:
        report.error = report.error or f"{type(error).__name__}: {error}"
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        facts = report.facts()
        try:
            if file:
                _write(file, facts)
        finally:
            if tell:
                tell(facts)


def _stop(_: int, __: FrameType | None) -> None:
    raise Stopped


def _prepare(file: Path) -> None:
    """Remove the outcome of an earlier try, so that nobody takes it for this one's."""
    try:
        file.unlink(missing_ok=True)
        _new(file).write_text("")
    except OSError as error:
        raise _unwritable(file, error) from error


def _write(file: Path, facts: Mapping[str, Any]) -> None:
    try:
        with _new(file).open("w") as stream:
            json.dump(facts, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        _new(file).replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error


def _new(file: Path) -> Path:
    return file.with_name(f".{file.name}.new")


def _unwritable(file: Path, error: OSError) -> UsageError:
    return UsageError(
        f"The outcome cannot be written to {file}.",
        [("got", error.strerror or str(error))],
        "make room, or give --outcome another file; the same command with --resume builds nothing twice",
    )
