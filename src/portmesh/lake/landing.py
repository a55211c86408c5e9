"""What every landing does: it reads a landing time, and verifies the batches that have already landed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime

from portmesh.errors import FindingsError, UsageError
from portmesh.lake.batches import BatchName
from portmesh.lake.lake import Batch, Damage, Lake
from portmesh.text import count


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


def assert_landed(lake: Lake, batch: BatchName) -> None:
    """Raises UsageError if the lake does not have the batch, with the batches of its feed that it has."""
    there = [found.batch_id for found in lake.batches(batch.feed)]
    if batch.batch_id not in there:
        shown = f"{there[0]} to {there[-1]}" if len(there) > 1 else "".join(there) or "none"
        raise UsageError(
            f"{batch} is not in the lake, so nothing was withdrawn.",
            [("where", lake.location), ("got", str(batch)), ("allowed", f"landed batches of {batch.feed}: {shown}")],
        )


def verify(
    lake: Lake, feeds: Iterable[str], fix: Callable[[BatchName], str], but: Collection[BatchName] = ()
) -> dict[BatchName, Batch]:
    """The batches of these feeds in the lake, apart from `but`.

    Raises FindingsError, which names each damaged batch and the command that fixes it.
    """
    found = {name: batch for feed in feeds for name, batch in lake.inspect_feed(feed)}
    damages = [damage for name, damage in found.items() if isinstance(damage, Damage) and name not in but]
    if damages:
        facts = [{"batch": str(d.batch), "where": d.where, "got": d.got, "allowed": d.allowed} for d in damages]
        verb = "is" if len(damages) == 1 else "are"
        raise FindingsError(
            f"{count(len(damages), 'batch', 'batches')} in the lake {verb} damaged, so nothing was landed.",
            [fact for damage in facts for fact in damage.items()],
            "\n".join(fix(damage.batch) for damage in damages),
            as_json={"damages": facts},
        )
    return {name: batch for name, batch in found.items() if not isinstance(batch, Damage)}
