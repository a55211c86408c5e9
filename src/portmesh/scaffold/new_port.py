"""Makes a port from a table: profiles its rows, proposes checks, writes the staging model, the port and its YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from portmesh.errors import FindingsError, UsageError, not_allowed
from portmesh.keys import CLASSIFICATIONS
from portmesh.scaffold.column_names import singular
from portmesh.scaffold.port_columns import PortColumn, shape_rows
from portmesh.scaffold.port_inputs import Input, Inputs
from portmesh.scaffold.profile import ROWS, Profile, Progress, profile_rows, scratch
from portmesh.scaffold.profile_keys import Keys, copies_of
from portmesh.scaffold.proposals import Proposals, limit_of_rejected, propose
from portmesh.scaffold.rendering import assert_text, yaml_value
from portmesh.text import count

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
PREFIXES = ("stg", "int", "fct", "dim", "mart", "rpt")
ARRIVED = {
    "_batch_id": "The batch that delivered the row.",
    "_landed_at": "When the batch landed, UTC.",
}
"""What the mesh itself knows of a column."""


@dataclass(frozen=True)
class Request:
    """What a new port is to be. Keys of `descriptions` and `names` are the source's columns or the port's.

    `freshness` is (column, days). Empty values are taken from the data where it shows them; an empty `target` from the
    profile.
    """

    domain: str
    port: str
    source: str
    classification: str
    description: str = ""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    freshness: tuple[str, int] | None = None
    consumers: Mapping[str, str] = field(default_factory=dict)
    target: str = ""


@dataclass(frozen=True)
class Draft:
    """A port that is not written yet: its files, and what a person should know or still decide.

    `undescribed` are columns without a description; `missing` are dimensions without a check.
    """

    request: Request
    origin: Input
    profile: Profile
    proposals: Proposals
    columns: tuple[PortColumn, ...]
    left_out: tuple[str, ...]
    only_newest: bool
    foreign: tuple[str, ...] = ()
    unbuilt: tuple[str, ...] = ()
    is_in_glue: bool = False

    @property
    def label(self) -> str:
        return f"{self.request.domain}.{self.request.port}"

    @property
    def staging(self) -> str:
        """The name of the staging model; empty if the port reads another port."""
        return f"stg_{self.origin.source}__{self.origin.table}" if self.origin.source else ""

    @property
    def notes(self) -> list[str]:
        """What a person should look at."""
        notes = list(self.proposals.notes)
        if self.only_newest:
            notes.append("each batch has all rows again, so only the newest one is read")
        if self.is_in_glue:
            notes.append("references to other ports were not looked for: only the target local does that")
        notes += [f"the column {name} is left out: a port has no type for it" for name in self.left_out]
        return notes

    @property
    def references(self) -> list[str]:
        """The ports with which no column was compared, and why."""
        why = {
            f"{self.request.domain} is not among their consumers": self.foreign,
            "not built here, so add relationships by hand": self.unbuilt,
        }
        return [f"not compared with {', '.join(ports)}: {reason}" for reason, ports in why.items() if ports]

    @property
    def description(self) -> str:
        """What one row is, if the key says it."""
        thing = singular(self.request.port).replace("_", " ")
        return self.request.description or (f"One row per {thing}." if self.proposals.key else "")

    def described(self, column: PortColumn) -> str:
        """A column's description: given, from the source's YAML, or known to the mesh; else empty."""
        given = self.request.descriptions
        return (
            given.get(column.name)
            or given.get(column.source)
            or self.origin.descriptions.get(column.source)
            or ARRIVED.get(column.name, "")
        )

    @property
    def undescribed(self) -> list[str]:
        return [column.name for column in self.columns if not self.described(column)]

    @property
    def missing(self) -> list[str]:
        """The dimensions that no proposed check measures; PM106 refuses the port until it has one."""
        kinds = {check.kind for check in self.proposals.checks}
        found = {
            "uniqueness": {"unique", "unique_combination"},
            "accuracy": {"accepted_values", "accepted_range", "matches_pattern", "relationships", "expression_is_true"},
        }
        missing = [dimension for dimension, of_it in found.items() if not of_it & kinds]
        return missing if self.freshness else [*missing, "timeliness"]

    @property
    def freshness(self) -> dict[str, Any]:
        """`config.meta.freshness`: asked for, as the source's YAML says, or as the rows arrived."""
        names = [column.name for column in self.columns]
        if self.request.freshness:
            column, days = self.request.freshness
            return _freshness(column, {"warn_after": {"count": days, "period": "day"}}, "")
        arrival = next((c.name for c in self.columns if c.source == self.origin.arrival), "")
        limits = {k: v for k in ("warn_after", "error_after") if (v := _limit(self.origin.freshness.get(k)))}
        if arrival and limits:
            return _freshness(arrival, limits, "as its source")
        if self.proposals.freshness and self.proposals.freshness[0] in names:
            column, days = self.proposals.freshness
            gap = count(self.profile.arrivals.longest_gap, "day")
            figures = f"{self.profile.arrivals.number} arrivals, at most {gap} apart"
            return _freshness(column, {"warn_after": {"count": days, "period": "day"}}, figures)
        return {}


def _limit(given: Any) -> dict[str, Any]:
    has_all = isinstance(given, Mapping) and given.get("count") and given.get("period")
    return {"count": given["count"], "period": str(given["period"])} if has_all else {}


def _freshness(column: str, limits: Mapping[str, Any], figures: str) -> dict[str, Any]:
    return {
        "column": column,
        "limits": ", ".join(f"{k}: {yaml_value(v)}" for k, v in limits.items()),
        "figures": figures,
    }


def assert_request(request: Request) -> None:
    """Raise UsageError if a name or the classification is not allowed."""
    prefix = request.port.partition("_")[0]
    if not NAME.fullmatch(request.port) or prefix in PREFIXES:
        raise UsageError(
            f"A port cannot be named {request.port or 'nothing'}.",
            [
                (
                    "allowed",
                    f"lower-case letters, digits and single underscores, without {'_, '.join(PREFIXES)}_ in front",
                )
            ],
            "name it for what it holds, in the words of its consumers: order_lines",
        )
    assert_classification(request.classification)
    for text in [request.description, *request.descriptions.values(), *request.consumers.values()]:
        assert_text(text)


def assert_classification(level: str) -> None:
    """Raise UsageError if there is no such classification."""
    if level not in CLASSIFICATIONS:
        raise not_allowed("classification", level, CLASSIFICATIONS)


def draft_port(root: Path, request: Request, progress: Progress = lambda _: None) -> Draft:
    """Profile the table and propose the port. Nothing is written.

    Raises UsageError if a name is unknown or taken, and FindingsError if the rows cannot be read.
    """
    assert_request(request)
    progress("reading the mesh")
    inputs = Inputs(root, request.domain, request.target)
    inputs.assert_new(request.port)
    origin = inputs.find(request.source)
    with scratch() as connection:
        progress(f"reading the rows of {origin.label}")
        inputs.read(connection, origin)
        limit = limit_of_rejected(origin.in_model, inputs.set_aside(connection, origin))
        columns, left_out = shape_rows(connection, request.port, request.names)
        _assert_names(request, columns)
        targets = inputs.targets(connection, request.port, [column.name for column in columns])
        found = profile_rows(connection, request.port, targets.found, progress)
        if not found.rows:
            raise FindingsError(
                f"{origin.label} has no rows, so nothing can be learned from it.",
                [("reads", origin.relation)],
                "land its data, then the same command",
            )
        only_newest = not request.key and not found.keys.candidates and len(found.batches) > 1
        if only_newest:
            newest = _of_newest_batch(connection, request, targets.found, progress)
            only_newest, found = newest is not None, newest or found
        if request.key:
            found = replace(found, keys=_given_key(connection, request.key))
    proposals = propose(found)
    return Draft(
        request=request,
        origin=origin,
        profile=found,
        proposals=replace(proposals, checks=(*proposals.checks, *limit)),
        columns=tuple(columns),
        left_out=tuple(left_out),
        only_newest=only_newest,
        foreign=tuple(targets.foreign),
        unbuilt=tuple(targets.unbuilt),
        is_in_glue=inputs.is_in_glue,
    )


def _assert_names(request: Request, columns: Sequence[PortColumn]) -> None:
    """Raise UsageError if an option names a column that there is not."""
    known = [name for column in columns for name in (column.name, column.source)]
    fresh = [request.freshness[0]] if request.freshness else []
    for name in [*request.descriptions, *request.names, *request.key, *fresh]:
        if name not in known:
            raise not_allowed("column", name, list(dict.fromkeys(known)))
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"Two columns would be named {twice[0]}.", next_step="give one of them another name: --rename")


def _of_newest_batch(
    connection: duckdb.DuckDBPyConnection, request: Request, targets: Sequence[Any], progress: Progress
) -> Profile | None:
    """The profile of the newest batch alone, if it has a key: then each batch has all rows again."""
    connection.execute(f"delete from {ROWS} where _batch_id <> (select max(_batch_id) from {ROWS})")
    connection.execute(f"create or replace table {ROWS} as select * from {ROWS}")
    newest = profile_rows(connection, request.port, targets, progress)
    return newest if newest.keys.candidates else None


def _given_key(connection: duckdb.DuckDBPyConnection, key: Sequence[str]) -> Keys:
    if copies := copies_of(connection, ROWS, key):
        raise FindingsError(
            f"{' and '.join(key)} cannot be the key: {count(copies, 'row')} "
            f"{'has' if copies == 1 else 'have'} the same as an earlier row.",
            next_step="name other columns: --key, or leave it out",
        )
    return Keys((tuple(key),))


def as_json(draft: Draft, files: Sequence[str]) -> dict[str, Any]:
    """The facts of a port that was made."""
    checks = [
        {
            "check": c.kind,
            "column": c.column,
            "figures": c.figures,
            "arguments": json.loads(json.dumps(dict(c.arguments), default=str)),
        }
        for c in draft.proposals.checks
    ]
    return {
        "port": draft.label,
        "files": list(files),
        "rows": draft.profile.rows,
        "key": list(draft.proposals.key),
        "checks": checks,
        "notes": [
            *draft.notes,
            *(f"{name}: {text}" for name, texts in draft.proposals.about.items() for text in texts),
            *draft.references,
        ],
        "undescribed": draft.undescribed,
        "missing": draft.missing,
    }
