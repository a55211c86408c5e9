"""The feeds of the demonstration's source system, and the names of their batches."""

from __future__ import annotations

from dataclasses import dataclass

from portmesh.errors import not_allowed
from portmesh.lake.batches import BatchName

WEEKS = tuple(f"2017-W{week:02}" for week in range(1, 54))
# One week after the source's last week, generated from it, so that there is always a new week to land.
EXTRA_WEEK = "2018-W01"
SNAPSHOT = "2017-01-01"


@dataclass(frozen=True)
class Feed:
    """A stream of batches of one table: weekly batches, or one snapshot of the whole table."""

    name: str
    weekly: bool = False

    @property
    def batches(self) -> tuple[str, ...]:
        """The batches that the source really has."""
        return WEEKS if self.weekly else (SNAPSHOT,)

    @property
    def possible_batches(self) -> tuple[str, ...]:
        """Those batches, and for transactions also the extra week."""
        return (*self.batches, EXTRA_WEEK) if self.name == "transactions" else self.batches


FEEDS = {
    feed.name: feed
    for feed in (
        Feed("transactions", weekly=True),
        Feed("promotions", weekly=True),
        Feed("products"),
        Feed("coupons"),
        Feed("campaigns"),
        Feed("campaign_descriptions"),
        Feed("coupon_redemptions"),
        Feed("demographics"),
    )
}


def parse_week(text: str, allowed: tuple[str, ...] = WEEKS) -> str:
    """The batch id of a week. Raises UsageError for any other text."""
    if text not in allowed:
        raise not_allowed("batch", text, allowed, f"{allowed[0]} to {WEEKS[-1]}" + _and_extra(allowed))
    return text


def parse_batch(text: str) -> BatchName:
    """The batch named `transactions/2017-W20`. Raises UsageError if the source does not have it."""
    name = parse_name(text)
    possible = FEEDS[name.feed].possible_batches
    if name.batch_id not in possible:
        shown = ", ".join(possible) if len(possible) == 1 else f"{possible[0]} to {WEEKS[-1]}"
        raise not_allowed(f"batch of {name.feed}", name.batch_id, possible, shown + _and_extra(possible))
    return name


def parse_name(text: str) -> BatchName:
    """The batch named `<feed>/<batch_id>`, with any batch id. Raises UsageError for an unknown feed."""
    feed, _, batch_id = text.strip("/").partition("/")
    if feed not in FEEDS:
        raise not_allowed("feed", feed, FEEDS)
    if not batch_id or "/" in batch_id or batch_id.startswith("."):
        shown = f"{feed}/<batch>, for example {feed}/{FEEDS[feed].batches[-1]}"
        raise not_allowed("batch", text, [f"{feed}/{b}" for b in FEEDS[feed].batches], shown)
    return BatchName(feed, batch_id)


def _and_extra(allowed: tuple[str, ...]) -> str:
    return f", {EXTRA_WEEK}" if EXTRA_WEEK in allowed else ""
