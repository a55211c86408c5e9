"""Published tables that no model of the mesh builds any more: they can still be read, but never change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from portmesh.durations import age
from portmesh.text import count


class Unmade(BaseModel):
    """A recorded relation that no model builds any more, as `mesh_status` returns it. Times are in UTC."""

    relation: str
    where: str
    row_count: int | None = None
    published_at: datetime | None = None
    last_made_at: datetime
    goes_on_as: str | None = None
    deprecation_date: str | None = None

    def story(self, now: datetime) -> str:
        """`100 rows, published 3 days ago and not since; renamed to shop.lines; kept until 2027-06-30`."""
        if self.published_at is None:
            return f"never published, last built {age((now - self.last_made_at).total_seconds())} ago"
        rows = "" if self.row_count is None else f"{count(self.row_count, 'row')}, "
        text = f"{rows}published {age((now - self.published_at).total_seconds())} ago and not since"
        moved = f"renamed to {self.goes_on_as}" if self.goes_on_as else ""
        until = f"kept until {self.deprecation_date}" if self.deprecation_date else ""
        return "; ".join(part for part in (text, moved, until) if part)


class UnmadeStatus(BaseModel):
    """One line about such a relation, with the command to run next."""

    relation: str
    where: str
    rows: int | None
    published_at: datetime | None
    renamed_to: str | None
    story: str
    next: str


def describe_unmade(unmade: Sequence[Unmade], now: datetime) -> list[UnmadeStatus]:
    """The lines that `portmesh status` and `portmesh clean` show."""
    return [
        UnmadeStatus(
            relation=one.relation,
            where=one.where,
            rows=one.row_count,
            published_at=one.published_at,
            renamed_to=one.goes_on_as,
            story=one.story(now),
            next=f"portmesh retire {one.relation}",
        )
        for one in unmade
    ]


def unmade_block(unmade: Sequence[UnmadeStatus]) -> list[tuple[str, str]]:
    """Facts for people: each relation with its story and the next command."""
    return [(one.relation, f"{one.story}\n{one.next}") for one in unmade]


def count_unmade(unmade: Sequence[UnmadeStatus]) -> str:
    """`2 relations that no model builds any more`."""
    return f"{count(len(unmade), 'relation')} that no model builds any more"
