"""Publishes the batches of a port one by one: each is audited and published once, in order, until one is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from pydantic import BaseModel

from portmesh.building import Graph, Outcome, Ran, Step, build_steps
from portmesh.dbt import compile_node, run_operation, with_variable
from portmesh.errors import ExitCode, RequestError, not_allowed

BATCHES_VARIABLE = "PORTMESH_BATCHES"
"""What limits rows_of_new_batches: a JSON list of batches."""
_TAKEN = re.compile(r"select landed\.\*\s+from (.+) as landed\b")
"""What rows_of_new_batches takes, in the compiled SQL of a model: its own words."""
_DATES = (
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{8}", "%Y%m%d"),
    (r"\d{4}-\d\d", "%Y-%m"),
    (r"\d{4}-W\d\d", "%G-W%V"),
    (r"\d{4}", "%Y"),
)


class Batch(BaseModel):
    """A batch that the port's model can take. `landed_at` is in UTC, without a time zone."""

    batch: str
    landed_at: datetime
    is_published: bool

    @property
    def day(self) -> date:
        """The first day that its name says, such as 2017-W20 or 2017-05-14; else the day on which it landed."""
        for pattern, form in _DATES:
            if re.fullmatch(pattern, self.batch):
                try:
                    of_week = "-1" if "%V" in form else ""
                    return datetime.strptime(self.batch + of_week, form + ("-%u" if of_week else "")).date()
                except ValueError:
                    break
        return self.landed_at.date()


def read_batches(port: str, target: str) -> list[Batch]:
    """The batches that a port's model can take now, in the order in which they landed.

    Raises RequestError if it has none, because then it is not taken batch by batch.
    """
    taken = _TAKEN.findall(str(compile_node(port, target).compiled_code))
    printed = run_operation("list_batches", json.dumps({"port": port, "taken": taken}), target)[-1]
    found = [Batch.model_validate(one) for one in json.loads(printed)]
    if not found:
        raise RequestError(
            f"{port} has no batches to publish.",
            [("allowed", "a port whose model reads rows_of_new_batches, of an input with _batch_id and _landed_at")],
            "for any other port: portmesh build --full-refresh, if its contract allows it",
        )
    return found


def choose_named(found: Sequence[Batch], names: Sequence[str]) -> list[Batch]:
    """The batches with these names, in the order given. Raises RequestError for an unknown one."""
    by_name: dict[str, list[Batch]] = {}
    for one in found:
        by_name.setdefault(one.batch, []).append(one)
    for name in names:
        if name not in by_name:
            raise not_allowed("batch", name, sorted(by_name), shown=_some(sorted(by_name)), error=RequestError)
    return [one for name in dict.fromkeys(names) for one in by_name[name]]


def choose_between(found: Sequence[Batch], first: date, last: date) -> list[Batch]:
    """The batches of these days, both included, in order of their days. Raises RequestError if there are none."""
    chosen = sorted((one for one in found if first <= one.day <= last), key=lambda one: (one.day, one.landed_at))
    if not chosen:
        days = sorted(one.day for one in found)
        facts = [("got", f"{first} to {last}"), ("allowed", f"{days[0]} to {days[-1]}: the days of its batches")]
        raise RequestError("No batch is of these days, so nothing was built.", facts)
    return chosen


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 12 else f"{len(names)} batches, {names[0]} to {names[-1]}"


@dataclass
class Backfill:
    """What became of the batches: published now, published before, without a row to publish, and left."""

    published: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    stopped_at: str = ""
    left: list[str] = field(default_factory=list)


def fill(
    graph: Graph, steps: Sequence[Step], batches: Sequence[Batch], run: Callable[[Step], Ran], outcome: Outcome
) -> Backfill:
    """Build the port's steps once for each batch that is not published, and stop at the first that fails."""
    result = Backfill(before=[one.batch for one in batches if one.is_published])
    todo = list(dict.fromkeys(one.batch for one in batches if not one.is_published))
    port = steps[0].nodes[0]
    for number, name in enumerate(todo):
        _forget(outcome)
        with with_variable(BATCHES_VARIABLE, json.dumps([name])):
            build_steps(graph, steps, run, outcome)
        if outcome.exit_code != ExitCode.FINE:
            result.stopped_at, result.left = name, todo[number + 1 :]
            break
        (result.published if outcome.verdicts.get(port) == "published" else result.empty).append(name)
    if not result.stopped_at:
        outcome.statuses.setdefault(port, "success")
        outcome.verdicts[port] = "published" if result.published else "nothing new in"
    return result


def _forget(outcome: Outcome) -> None:
    """The same nodes are built for each batch: only the last one counts."""
    for known in (outcome.statuses, outcome.messages, outcome.verdicts, outcome.waits_for):
        known.clear()
