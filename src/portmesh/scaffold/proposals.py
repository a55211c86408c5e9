"""Checks proposed from a profile, each with the figure that led to it.

The rules for them, and the room that bounds leave, are decision 0029 (docs/decisions/0029-checks-are-proposed.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portmesh.scaffold.column_names import words
from portmesh.scaffold.profile import Order, Profile
from portmesh.scaffold.profile_columns import Column, Slice
from portmesh.scaffold.profile_references import Reference
from portmesh.text import count

ENOUGH_ROWS = 20
"""Fewer rows without a null say little about the next one."""

MOST_VALUES = 25
RARE = 5
"""Each accepted value has at least this many rows, in more than one slice."""

DAYS_MORE = 7

NOT_BLANK = "[^ ]"
"""The least that a text must have."""


@dataclass(frozen=True)
class Check:
    """A check: its name, its arguments, the figures that led to it, and the name of its test if dbt's is too long.

    `column` is empty for a check of the whole table.
    """

    kind: str
    column: str
    figures: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class Proposals:
    """What is proposed for a port. `freshness` is (column, days); `notes` say what a person should look at.

    `about` has the notes of a column, by its name.
    """

    key: tuple[str, ...]
    checks: tuple[Check, ...]
    freshness: tuple[str, int] | None
    notes: tuple[str, ...]
    about: Mapping[str, tuple[str, ...]]

    def of(self, column: str) -> list[Check]:
        """The checks of a column; of the table if it is empty."""
        return [check for check in self.checks if check.column == column]


@dataclass(frozen=True)
class SetAside:
    """How many rows of a batch were set aside, and how many it had with them."""

    rejected: int
    rows: int


MOST_SET_ASIDE = 0.5


def limit_of_rejected(source: str, batches: Sequence[SetAside]) -> list[Check]:
    """Twice the share of the worst batch, what chance adds in a batch of its size, at least 1 % and at most half."""
    if not batches:
        return []
    worst = max(batches, key=lambda batch: batch.rejected / batch.rows)
    share = worst.rejected / worst.rows
    room = math.ceil((2 * share + 3 * math.sqrt(share * (1 - share) / worst.rows)) * 100) / 100
    figures = f"at most {worst.rejected:,} of {count(worst.rows, 'row')} of a batch"
    arguments = {"of": source, "at_most": min(max(room, 0.01), MOST_SET_ASIDE)}
    return [Check("rejected_rows", "", figures, arguments)] if share <= MOST_SET_ASIDE else []


def propose(profile: Profile) -> Proposals:
    """The checks that these rows justify."""
    key = profile.keys.candidates[0] if profile.keys.candidates else ()
    checks: list[Check] = [*_keys(profile), *_row_count(profile)]
    about: dict[str, list[str]] = {}
    referring = {r.columns[0]: r for r in profile.references if len(r.columns) == 1}
    singles = {names[0] for names in profile.keys.candidates if len(names) == 1}
    for column in profile.columns:
        reference = referring.get(column.name)
        is_looked_up = reference is not None and reference.holds
        checks += _nulls(column, column.name in key)
        if reference and reference.holds:
            checks.append(_relationship(reference))
        elif reference:
            about.setdefault(column.name, []).append(_nearly(reference))
        if not column.name.startswith("_"):
            checks += _values(column, column.name in singles, is_looked_up)
    checks += [_order(order) for order in profile.orders]
    checks += [_relationship(r) for r in profile.references if len(r.columns) > 1 and r.holds]
    for name in profile.keys.accidental:
        about.setdefault(name, []).append("unique in these rows, but by its name and type not what identifies a row")
    return Proposals(
        key, tuple(checks), _freshness(profile), tuple(_notes(profile)), {n: tuple(t) for n, t in about.items()}
    )


def _rows(column: Column) -> str:
    return f"{count(column.rows, 'row')}, {count(column.nulls, 'null')}"


def _keys(profile: Profile) -> Iterable[Check]:
    found = profile.keys.candidates
    figures = f"{count(profile.rows, 'row')}, no two alike"
    singles = [names[0] for names in found if len(names) == 1]
    for name in singles:
        yield Check("unique", name, figures)
    if found and not singles:
        yield Check("unique_combination", "", figures, {"columns": list(found[0])})


def _row_count(profile: Profile) -> Iterable[Check]:
    """At least half of the rows: of all, for what has been there stays there."""
    if profile.rows >= 2:
        least = _round_down(profile.rows / 2)
        yield Check("row_count_between", "", count(profile.rows, "row"), {"min_rows": max(int(least), 1)})


def _nulls(column: Column, is_key: bool) -> Iterable[Check]:
    if not column.nulls:
        if column.rows >= ENOUGH_ROWS or is_key or column.name.startswith("_"):
            yield Check("not_null", column.name, _rows(column))
        return
    shares = [part.filled / part.rows for part in column.slices if part.rows]
    least = _least_share(column.slices)
    if least >= 0.1 and all(share >= least for share in shares):
        share = 1 - column.nulls / column.rows
        worst = f", at least {_percent(min(shares))} in each part" if len(shares) > 1 else ""
        yield Check("not_null_share", column.name, f"{_percent(share)} filled{worst}", {"at_least": least})


def _percent(share: float) -> str:
    return f"{math.floor(share * 1000) / 10:g} %"


def _least_share(slices: Sequence[Slice]) -> float:
    """Room for twice the nulls of the worst slice, and for what chance adds in a slice of its size."""
    worst = min((part for part in slices if part.rows), key=lambda part: part.filled / part.rows, default=None)
    if worst is None:
        return 0
    nulls = 1 - worst.filled / worst.rows
    chance = 3 * math.sqrt(nulls * (1 - nulls) / worst.rows)
    return max(0.0, math.floor((1 - 2 * nulls - chance) * 100) / 100)


def _values(column: Column, is_key: bool, is_looked_up: bool) -> Iterable[Check]:
    """What the values may be: one of a few, or within bounds, or like a pattern.

    Values that are looked up in another port need no bounds, and a key that counts up has none.
    """
    filled = column.rows - column.nulls
    if not filled or column.kind == "boolean":
        return
    if column.kind == "text":
        values = [] if is_key or is_looked_up else _stable_values(column)
        if values:
            figures = f"{count(len(values), 'value')}, the rarest in {count(min(v.rows for v in column.values), 'row')}"
            yield Check("accepted_values", column.name, figures, {"values": values})
        elif column.pattern and column.distinct >= ENOUGH_ROWS:
            figures = f"all {count(filled, 'text')}, {'' if column.is_exact else 'about '}{column.distinct:,} different"
            yield Check("matches_pattern", column.name, figures, {"pattern": column.pattern})
        elif not column.blanks and not is_looked_up and (column.rows >= ENOUGH_ROWS or is_key):
            yield Check("matches_pattern", column.name, f"{count(filled, 'text')}, none blank", {"pattern": NOT_BLANK})
    elif not is_looked_up and _is_flag(column):
        values = sorted(int(each.value) for each in column.values)
        yield Check("accepted_values", column.name, f"{count(filled, 'row')}", {"values": values, "quote": False})
    elif not is_looked_up and (bounds := _bounds(column, is_key)):
        seen = f"{_shown(column.smallest)} to {_shown(column.largest)} in {count(filled, 'row')}"
        yield Check("accepted_range", column.name, seen, bounds)


def _is_flag(column: Column) -> bool:
    return column.kind == "whole" and {each.value for each in column.values} == {0, 1}


def _stable_values(column: Column) -> list[Any]:
    """The values of a column that will hardly get another one: each is frequent, and in more than one slice."""
    values = column.values
    many_slices = sum(1 for part in column.slices if part.filled) > 1
    is_closed = (
        0 < len(values) <= MOST_VALUES
        and many_slices
        and all(each.rows >= RARE and each.slices > 1 for each in values)
        and sum(each.rows for each in values) >= 10 * len(values)
        # Nested JSON and texts of several lines are never one of a few; and dbt would run what looks like Jinja.
        and not any(re.match(r"[{\[]", str(each.value)) or "\n" in str(each.value) for each in values)
        and not any(mark in str(each.value) for each in values for mark in ("{{", "{%", "{#"))
    )
    return sorted(each.value for each in values) if is_closed else []


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)


NATURAL = {
    **dict.fromkeys(("lat", "latitude"), (-90, 90, None)),
    **dict.fromkeys(("lon", "lng", "long", "longitude"), (-180, 180, None)),
    "month": (1, 12, 12),
    "day": (1, 31, 31),
    "hour": (0, 24, 23),
    "minute": (0, 59, 59),
    "second": (0, 60, 59),
    "quarter": (1, 4, 4),
}
"""Limits that the last word of a name sets: smallest, largest, and what must have been seen for it to be meant."""


def _natural(column: Column) -> dict[str, Any]:
    limits = NATURAL.get(words(column.name)[-1])
    if not limits or column.smallest < limits[0] or column.largest > limits[1]:
        return {}
    is_meant = limits[2] is None or column.largest >= limits[2]
    return {"min_value": limits[0], "max_value": limits[1]} if is_meant else {}


def _bounds(column: Column, is_key: bool) -> dict[str, Any]:
    """Room of the whole range that was seen, on each side; never past zero if no value was.

    A bound that the slices do not support is left out: learned from the earlier half it must hold for the later one,
    and learned from all other slices for each.
    """
    if column.kind in ("date", "timestamp"):
        return _time_bounds(column)
    if column.kind not in ("whole", "decimal", "float"):
        return {}
    if is_key:
        return {"min_value": 0} if column.smallest >= 0 else {}
    if natural := _natural(column):
        return natural
    parts = [part for part in column.slices if part.filled]
    low, high = _room(parts)
    bounds = {}
    if _holds(parts, 0):
        bounds["min_value"] = low
    if _holds(parts, 1):
        bounds["max_value"] = high
    return bounds


def _number(value: Any) -> float:
    return float(value)


def _room(parts: Sequence[Slice]) -> tuple[float | int, float | int]:
    small = min(_number(part.smallest) for part in parts)
    large = max(_number(part.largest) for part in parts)
    span = (large - small) or abs(large) or 1.0
    low, high = _round_out(small - span, span, math.floor), _round_out(large + span, span, math.ceil)
    return (max(low, 0) if small >= 0 else low), (min(high, 0) if large <= 0 and small < 0 else high)


def _round_out(value: float, span: float, direction: Callable[[float], int]) -> float | int:
    """Outward, to two digits of the range."""
    if not math.isfinite(value):
        return value
    step = 10.0 ** (math.floor(math.log10(span)) - 1)
    rounded = direction(value / step) * step
    return round(rounded) if step >= 1 or float(rounded).is_integer() else round(rounded, 12)


def _round_down(value: float) -> float:
    return float(_round_out(value, value, math.floor))


def _holds(parts: Sequence[Slice], side: int) -> bool:
    """Whether this side's bound, learned from other slices, holds for each; and from the earlier half for the later."""
    if not all(math.isfinite(_number(v)) for part in parts for v in (part.smallest, part.largest)):
        return False
    if len(parts) < 2:
        return True
    if side == 1 and _grows(parts):
        return False

    def is_within(learned: Sequence[Slice], tested: Sequence[Slice]) -> bool:
        bound = _room(learned)[side]
        seen = [_number(part.largest if side else part.smallest) for part in tested]
        return max(seen) <= bound if side else min(seen) >= bound

    half = len(parts) // 2
    return is_within(parts[:half], parts[half:]) and all(
        is_within([*parts[:place], *parts[place + 1 :]], [part]) for place, part in enumerate(parts)
    )


def _grows(parts: Sequence[Slice]) -> bool:
    """Whether most slices have a larger maximum than all before them, such as a counter's."""
    records, highest = 0, parts[0].largest
    for part in parts[1:]:
        if part.largest > highest:
            records, highest = records + 1, part.largest
    return len(parts) >= 4 and records > 0.6 * (len(parts) - 1)


def _time_bounds(column: Column) -> dict[str, Any]:
    """Only the past is bounded: as far back again as the times seen, at least a year. Time goes on."""
    first, last = _day(column.smallest), _day(column.largest)
    span = max((last - first).days, 365)
    year = first.toordinal() - span
    return {"min_value": date(date.fromordinal(max(year, 1)).year, 1, 1)}


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _relationship(reference: Reference) -> Check:
    names = reference.columns
    values = f"all {count(reference.values, 'value')} are in {reference.target.label}"
    if len(names) == 1:
        return Check(
            "relationships", names[0], values, {"to": reference.target.reference, "field": reference.target.columns[0]}
        )
    own, theirs = (_joined(each) for each in (names, reference.target.columns))
    arguments = {"column_name": own, "to": reference.target.reference, "field": theirs}
    return Check("relationships", "", values, arguments, f"{'_and_'.join(names)}_in_{reference.target.table}")


def _joined(names: Sequence[str]) -> str:
    """Several columns as one text, in SQL for every engine: null if one of them is null."""
    return " || '_' || ".join(f"cast({name} as varchar(100))" for name in names)


def _nearly(reference: Reference) -> str:
    missing = count(reference.missing, "value")
    rows = count(reference.missing_rows, "row")
    return (
        f"{missing} of {reference.values:,}, in {rows}, {'is' if reference.missing == 1 else 'are'} not in "
        f"{reference.target.label}: no check proposed"
    )


def _order(order: Order) -> Check:
    if order.days is None:
        figures, expression = f"in all {count(order.rows, 'row')}", f"{order.first} <= {order.second}"
    else:
        days = 2 * order.days + DAYS_MORE
        figures = f"at most {count(order.days, 'day')} apart in {count(order.rows, 'row')}"
        expression = f"{order.first} between {order.second} - interval '{days}' day and {order.second}"
    return Check("expression_is_true", "", figures, {"expression": expression}, f"{order.first}_up_to_{order.second}")


def _freshness(profile: Profile) -> tuple[str, int] | None:
    """Twice the longest time between two arrivals, and a day, once three arrivals show how long that is."""
    if profile.arrivals.number < 3 or not profile.arrivals.longest_gap:
        return None
    return "_landed_at", 2 * profile.arrivals.longest_gap + 1


def _notes(profile: Profile) -> Iterable[str]:
    keys = profile.keys
    if len(keys.candidates) > 1:
        listed = "; ".join(" and ".join(names) for names in keys.candidates)
        yield f"{len(keys.candidates)} candidate keys: {listed}. The first one is taken as the key"
    elif keys.by_chance:
        yield f"no key found: {' and '.join(keys.by_chance)} tell the rows apart, but so few rows may do so by chance"
    elif not keys.candidates and keys.tried:
        copies = f": {count(keys.copies, 'row')} {'has' if keys.copies == 1 else 'have'} them all like an earlier row"
        yield f"no key found among {', '.join(keys.tried)}{copies if keys.copies else ''}"
    elif not keys.candidates:
        yield "no key found: no column is named like an identifier"
