"""Lands the year or a part of it, lands a flawed batch, and replaces or withdraws batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from portmesh.errors import UsageError
from portmesh.lake.batches import BatchName
from portmesh.lake.lake import Batch, Lake
from portmesh.lake.landing import assert_landed, parse_time, verify
from portmesh_demo.feeds import EXTRA_WEEK, FEEDS, WEEKS, Feed, parse_batch, parse_name, parse_week
from portmesh_demo.flaws import FLAWS, plant
from portmesh_demo.source import read_batch, read_batches

Progress = Callable[[BatchName, int, int], None]
"""Called after each batch with its name, the number of batches landed so far, and the number to land."""


@dataclass(frozen=True)
class FeedLanding:
    """What a landing did for a feed. Rows and bytes are totals of all its batches now in the lake."""

    feed: str
    landed: int
    kept: int
    rows: int
    bytes: int


@dataclass(frozen=True)
class Planted:
    """A flawed batch: its rows, how many are flawed, and what is wrong with them."""

    batch: str
    flaw: str
    rows: int
    flawed_rows: int
    what: str


@dataclass
class Landing:
    """What one call of `portmesh demo land` did."""

    lake: str
    landed_at: datetime
    feeds: list[FeedLanding] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    planted: Planted | None = None


@dataclass(frozen=True)
class Request:
    """What a call of `portmesh demo land` asks for, as typed. `hint` repeats the options that name the lake."""

    until: str | None = None
    flaw: str | None = None
    batch: str | None = None
    replace: Sequence[str] = ()
    withdraw: Sequence[str] = ()
    landed_at: str | None = None
    hint: str = ""


def land(lake: Lake, request: Request, progress: Progress | None = None) -> Landing:
    """Carry out a request. The whole request is checked before anything is changed.

    Raises UsageError for a request that is not possible, FindingsError if batches in the lake are damaged.
    """
    _assert_possible(request)
    replace = [parse_batch(text) for text in request.replace]
    withdraw = [parse_name(text) for text in request.withdraw]
    until = parse_week(request.until) if request.until is not None else None
    landing = Landing(lake.location, parse_time(request.landed_at))
    with lake.landing():
        for batch in withdraw:
            assert_landed(lake, batch)
        for batch in withdraw:
            lake.withdraw(batch)
            landing.withdrawn.append(str(batch))
        for batch in replace:
            lake.land(batch, read_batch(FEEDS[batch.feed], batch.batch_id), landing.landed_at)
            landing.replaced.append(str(batch))
        if not (replace or withdraw) and (until or not request.flaw):
            kept = verify(lake, FEEDS, lambda batch: _fix_for(batch) + request.hint)
            landing.feeds = [
                _land_feed(lake, feed, until, landing.landed_at, kept, progress) for feed in FEEDS.values()
            ]
        if request.flaw:
            landing.planted = _land_flawed(lake, request, landing.landed_at)
    return landing


def _assert_possible(request: Request) -> None:
    ways = [name for name in ("flaw", "replace", "withdraw") if getattr(request, name) not in (None, ())]
    if request.until is not None and ways and ways != ["flaw"]:
        ways.append("until")
    if len(ways) > 1:
        together = " and ".join(f"--{way}" for way in ways)
        raise UsageError(f"{together} cannot be combined.", next_step="run them one after the other")
    if request.batch is not None and request.flaw is None:
        raise UsageError(
            "--batch needs --flaw: it names the week to land with a flaw.",
            [("got", f"--batch {request.batch} without --flaw"), ("allowed", f"--flaw with {', '.join(FLAWS)}")],
            f"portmesh demo land --until {request.batch}, "
            f"or: portmesh demo land --flaw duplicates --batch {request.batch}",
        )


def _fix_for(batch: BatchName) -> str:
    known = batch.batch_id in FEEDS[batch.feed].possible_batches
    return f"portmesh demo land --{'replace' if known else 'withdraw'} {batch}"


def _land_feed(
    lake: Lake,
    feed: Feed,
    until: str | None,
    landed_at: datetime,
    kept: dict[BatchName, Batch],
    progress: Progress | None,
) -> FeedLanding:
    there = {name.batch_id: batch for name, batch in kept.items() if name.feed == feed.name}
    asked = [batch for batch in feed.batches if not (feed.weekly and until) or batch <= (until or "")]
    wanted = [batch for batch in asked if batch not in there]
    batches = list(there.values())
    for number, (batch_id, rows) in enumerate(read_batches(feed, wanted), start=1):
        name = BatchName(feed.name, batch_id)
        batches.append(lake.land(name, rows, landed_at))
        if progress:
            progress(name, number, len(wanted))
    return FeedLanding(
        feed=feed.name,
        landed=len(wanted),
        kept=len(there),
        rows=sum(batch.rows for batch in batches),
        bytes=sum(batch.bytes for batch in batches),
    )


def _land_flawed(lake: Lake, request: Request, landed_at: datetime) -> Planted:
    weeks = (*WEEKS, EXTRA_WEEK)
    flaw = request.flaw or ""
    there = lake.batches("transactions")
    if request.batch is not None:
        batch = BatchName("transactions", parse_week(request.batch, weeks))
    else:
        missing = [week for week in weeks if BatchName("transactions", week) not in there]
        if not missing:
            raise UsageError(
                f"All weeks of transactions, including {EXTRA_WEEK}, have landed: none is left to land with a flaw.",
                next_step=f"portmesh demo land --withdraw transactions/{EXTRA_WEEK}{request.hint}",
            )
        batch = BatchName("transactions", missing[0])
    flawed = plant(flaw, batch.batch_id)
    if flaw == "wrong-type" and not there:
        raise UsageError(
            f"{batch} would be the first batch, and a wrong type needs an earlier batch to differ from.",
            next_step=f"portmesh demo land --until {WEEKS[0]} --flaw wrong-type{request.hint}",
        )
    if batch in there:
        raise UsageError(
            f"{batch} has already landed, and a landed batch is never changed.",
            [("where", lake.where(batch))],
            f"portmesh demo land --withdraw {batch}{request.hint}",
        )
    landed = lake.land(batch, flawed.rows, landed_at, keep_bytes=flawed.keep_bytes)
    return Planted(str(batch), flaw, landed.rows, flawed.flawed_rows, flawed.what)
