"""Flaws with which a batch of transactions can be landed, to try out the mesh's checks.

They are deterministic: the same flaw in the same batch always affects the same lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from portmesh.errors import UsageError, not_allowed
from portmesh_demo.feeds import EXTRA_WEEK, FEEDS, WEEKS
from portmesh_demo.source import read_batch

EVERY = 64
# Larger than the source's largest product_id, so that no product has the id.
UNKNOWN_PRODUCT_OFFSET = 9_000_000_000


@dataclass(frozen=True)
class Flawed:
    """The rows of a flawed batch, how many of them are flawed, and what is wrong with them, in words."""

    rows: pa.Table
    flawed_rows: int
    what: str
    keep_bytes: float = 1.0


@dataclass(frozen=True)
class _Week:
    batch_id: str
    rows: pa.Table


def plant(flaw: str, batch_id: str) -> Flawed:
    """The transactions of a week with a flaw. Raises UsageError if the flaw is unknown or impossible for that week."""
    if flaw not in FLAWS:
        raise not_allowed("flaw", flaw, FLAWS)
    if flaw == "late" and batch_id == WEEKS[0]:
        raise UsageError(
            f"{batch_id} is the first week, so it cannot contain late lines of an earlier week.",
            next_step=f"portmesh demo land --flaw late --batch {WEEKS[1]}",
        )
    return FLAWS[flaw](_Week(batch_id, read_batch(FEEDS["transactions"], batch_id)))


def _duplicates(week: _Week) -> Flawed:
    again = _some(week.rows)
    return Flawed(pa.concat_tables([week.rows, again]), again.num_rows, "lines delivered twice")


def _nulls(week: _Week) -> Flawed:
    hit = _hit(week.rows)
    values = pc.if_else(hit, pa.scalar(None, pa.int64()), week.rows["household_id"])
    return Flawed(_set(week.rows, "household_id", values), _number(hit), "lines without a household_id")


def _late(week: _Week) -> Flawed:
    earlier = WEEKS[-1] if week.batch_id == EXTRA_WEEK else WEEKS[WEEKS.index(week.batch_id) - 1]
    late = _some(read_batch(FEEDS["transactions"], earlier))
    what = f"lines of week {earlier}, delivered a second time"
    return Flawed(pa.concat_tables([week.rows, late]), late.num_rows, what)


def _unknown_product(week: _Week) -> Flawed:
    hit = _hit(week.rows)
    values = pc.if_else(hit, pc.add(week.rows["product_id"], UNKNOWN_PRODUCT_OFFSET), week.rows["product_id"])
    return Flawed(
        _set(week.rows, "product_id", values), _number(hit), "lines with a product_id that is not in products"
    )


def _negative(week: _Week) -> Flawed:
    hit = _hit(week.rows)
    values = pc.if_else(hit, pc.subtract(pc.negate(week.rows["sales_value"]), 0.01), week.rows["sales_value"])
    return Flawed(_set(week.rows, "sales_value", values), _number(hit), "lines with a negative sales_value")


def _wrong_type(week: _Week) -> Flawed:
    hit = _hit(week.rows)
    values = pc.if_else(hit, "n/a", week.rows["sales_value"].cast(pa.string()))
    what = "lines with the sales_value n/a, so the column is text in the whole batch"
    return Flawed(_set(week.rows, "sales_value", values), _number(hit), what)


def _empty(week: _Week) -> Flawed:
    return Flawed(week.rows.slice(0, 0), 0, f"lines: the batch is empty, {week.rows.num_rows:,} are missing")


def _truncated(week: _Week) -> Flawed:
    what = "lines in a data file that is cut in half; the manifest describes the whole file"
    return Flawed(week.rows, week.rows.num_rows, what, keep_bytes=0.5)


FLAWS: dict[str, Callable[[_Week], Flawed]] = {
    "duplicates": _duplicates,
    "nulls": _nulls,
    "late": _late,
    "unknown-product": _unknown_product,
    "negative": _negative,
    "wrong-type": _wrong_type,
    "empty": _empty,
    "truncated": _truncated,
}


def _hit(rows: pa.Table) -> pa.Array:
    """True for every 64th line."""
    return pa.array(np.arange(rows.num_rows) % EVERY == 0)


def _number(hit: pa.Array) -> int:
    return int(pc.sum(hit).as_py() or 0)


def _some(rows: pa.Table) -> pa.Table:
    return rows.filter(_hit(rows))


def _set(rows: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(column), column, values)
