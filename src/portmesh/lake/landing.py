"""Lands the year or a part of it, lands a flawed batch, and replaces or withdraws batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from portmesh.errors import FindingsError, UsageError
from portmesh.lake.feeds import EXTRA_WEEK, FEEDS, WEEKS, BatchName, Feed, parse_batch, parse_name, parse_week
from portmesh.lake.flaws import FLAWS, plant
from portmesh.lake.lake import Batch, Damage, Lake
from portmesh.lake.source import read_batch, read_batches
from portmesh.text import count

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
    """What one call of `portmesh land` did."""

    lake: str
    landed_at: datetime
    feeds: list[FeedLanding] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    planted: Planted | None = None


@dataclass(frozen=True)
class Request:
    """What a call of `portmesh land` asks for, as typed. `hint` repeats the options that name the lake."""

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
            _assert_there(lake, batch)
        for batch in withdraw:
            lake.withdraw(batch)
            landing.withdrawn.append(str(batch))
        for batch in replace:
            lake.land(batch, read_batch(FEEDS[batch.feed], batch.batch_id), landing.landed_at)
            landing.replaced.append(str(batch))
        if not (replace or withdraw) and (until or not request.flaw):
            kept = _verify(lake, request.hint)
            landing.feeds = [
                _land_feed(lake, feed, until, landing.landed_at, kept, progress) for feed in FEEDS.values()
            ]
        if request.flaw:
            landing.planted = _land_flawed(lake, request, landing.landed_at)
    return landing


def parse_time(text: str | None) -> datetime:
    """An ISO 8601 time, in UTC unless it has an offset; None means now. Raises UsageError for any other text."""
    if text is None:
        return datetime.now(UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        facts = [("got", text), ("allowed", "an ISO 8601 time, UTC unless it has an offset: 2017-05-22T06:00:00")]
        raise UsageError("--landed-at is not a time.", facts) from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


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
            f"portmesh land --until {request.batch}, or: portmesh land --flaw duplicates --batch {request.batch}",
        )


def _assert_there(lake: Lake, batch: BatchName) -> None:
    there = [found.batch_id for found in lake.batches(batch.feed)]
    if batch.batch_id not in there:
        shown = f"{there[0]} to {there[-1]}" if len(there) > 1 else "".join(there) or "none"
        raise UsageError(
            f"{batch} is not in the lake, so nothing was withdrawn.",
            [("where", lake.location), ("got", str(batch)), ("allowed", f"landed batches of {batch.feed}: {shown}")],
        )


def _verify(lake: Lake, hint: str) -> dict[BatchName, Batch]:
    """All batches in the lake. Raises FindingsError, which names each damaged batch."""
    found = dict(lake.inspect_all())
    damages = [damage for damage in found.values() if isinstance(damage, Damage)]
    if damages:
        facts = [{"batch": str(d.batch), "where": d.where, "got": d.got, "allowed": d.allowed} for d in damages]
        verb = "is" if len(damages) == 1 else "are"
        raise FindingsError(
            f"{count(len(damages), 'batch', 'batches')} in the lake {verb} damaged, so nothing was landed.",
            [fact for damage in facts for fact in damage.items()],
            "\n".join(_fix_for(damage.batch) + hint for damage in damages),
            as_json={"damages": facts},
        )
    return {name: batch for name, batch in found.items() if not isinstance(batch, Damage)}


def _fix_for(batch: BatchName) -> str:
    known = batch.batch_id in FEEDS[batch.feed].possible_batches
    return f"portmesh land --{'replace' if known else 'withdraw'} {batch}"


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
                next_step=f"portmesh land --withdraw transactions/{EXTRA_WEEK}{request.hint}",
            )
        batch = BatchName("transactions", missing[0])
    flawed = plant(flaw, batch.batch_id)
    if batch in there:
        raise UsageError(
            f"{batch} has already landed, and a landed batch is never changed.",
            [("where", lake.where(batch))],
            f"portmesh land --withdraw {batch}{request.hint}",
        )
    landed = lake.land(batch, flawed.rows, landed_at, keep_bytes=flawed.keep_bytes)
    return Planted(str(batch), flaw, landed.rows, flawed.flawed_rows, flawed.what)
