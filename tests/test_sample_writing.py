"""Every type is masked or left out, and feeds are written as batches, for tables that a test makes itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from portmesh.errors import FindingsError
from portmesh.lake.batches import BatchName
from portmesh.lake.folder import FolderLake, Manifest
from portmesh.sampling.choosing import Facts, choose
from portmesh.sampling.local import Local
from portmesh.sampling.origin import no_raw_rows_on_disk
from portmesh.sampling.sample import Plan, Sampler
from portmesh.sampling.wanted import Wanted, Wish

TYPES = """
select 7::utinyint as small, 12345678901234567890::hugeint as huge, 1.5::float as number,
12.34::decimal(6, 2) as price, 'Ana' as name, true as yes, 'a'::enum('a', 'b') as word, date '2026-05-01' as day,
timestamptz '2026-05-01 10:00:00+02' as moment, timestamp_ns '2026-05-01 10:00:00.000001' as exact,
time '10:30:00' as hour,
uuid '3f2504e0-4f89-41d3-9a0c-0305e82c3301' as id, 'Ana'::blob as bytes, ['Ana'] as names, {'name': 'Ana'} as person,
interval 1 day as span, null::varchar as nothing
"""


@dataclass
class Rows:
    """Production with one table, `rows`."""

    memory: duckdb.DuckDBPyConnection
    location: str = "a test"
    price_per_gib: float = 0

    def facts(self, table: Wanted) -> Facts:  # noqa: ARG002
        columns = self.memory.execute("describe rows").fetchall()
        return Facts({name: kind for name, kind, *_ in columns}, 1, 1)

    @contextmanager
    def opened(self, table: Wanted, memory: duckdb.DuckDBPyConnection) -> Iterator[str]:  # noqa: ARG002
        yield "rows"


def taken(tmp_path: Path, select: str, share: float = 100, **about: Any) -> Local:
    """The local place after a sample of the table `shop.rows` with these rows, all restricted."""
    given: dict[str, Any] = {"classification": "restricted"} | about
    table = Wanted("shop.rows", "port", "shop", "rows", "shop", "rows.yml", **given)
    local = Local(tmp_path / "local.duckdb", FolderLake(tmp_path / "lake"))
    with no_raw_rows_on_disk() as memory:
        memory.execute(f"create table rows as {select}")
        origin = Rows(memory)
        facts = {table.label: origin.facts(table)}
        choices = choose(Wish("shop", "emr", (table,), {}), facts, "internal", whole=share == 100)
        choices = [replace(choice, way="hash", column="id") for choice in choices] if share < 100 else choices
        Sampler(Plan("shop", share, "internal", origin, local, tuple(choices), {}, ()), memory).take()
    return local


def test_every_type_keeps_its_type_and_no_value_stays(tmp_path: Path) -> None:
    local = taken(tmp_path, TYPES)
    with duckdb.connect(str(local.file)) as here:
        here.execute("set TimeZone = 'UTC'")
        assert here.execute("describe shop.rows").fetchall() == here.execute(f"describe {TYPES}").fetchall()
        cursor = here.execute("select * from shop.rows")
        new = dict(zip([name for name, *_ in cursor.description or []], cursor.fetchone() or (), strict=True))
        old = dict(zip(new, here.execute(TYPES).fetchone() or (), strict=True))
    left_out = {"bytes", "names", "person", "span", "nothing"}
    assert {name for name, value in new.items() if value is None} == left_out
    same = {name for name in new if new[name] == old[name]}
    # One digit, or one of two values, may become itself by chance.
    assert same <= {"small", "yes", "word", "nothing", "number"}


def test_a_feed_without_a_row_still_has_its_columns(tmp_path: Path) -> None:
    rows = "select 'x' as name, '2026-W01' as _batch_id, timestamp '2026-01-05 06:00:00' as _landed_at where false"
    local = taken(tmp_path, rows, feed="shop__rows")
    ((batch, found),) = local.lake.inspect_feed("shop__rows")
    assert batch == BatchName("shop__rows", "empty")
    assert isinstance(found, Manifest)
    assert (found.rows, list(found.columns)) == (0, ["name", "_batch_id", "_landed_at"])
    assert local.earlier() == ["the feed shop__rows"]


def test_a_batch_that_is_no_name_of_a_folder_is_refused(tmp_path: Path) -> None:
    rows = "select 'x' as name, '../../x' as _batch_id, timestamp '2026-01-05 06:00:00' as _landed_at"
    with pytest.raises(FindingsError) as refused:
        taken(tmp_path, rows, feed="shop__rows")
    assert "A batch of shop__rows in production has a name that is no name of a batch" in str(refused.value)
    assert "../../x" in str(refused.value)
    assert not (tmp_path / "local.duckdb").exists()
    assert FolderLake(tmp_path / "lake").feeds() == []


def test_rows_without_a_key_are_chosen_by_themselves(tmp_path: Path) -> None:
    rows = "select case when range % 2 = 0 then range end as id, range as number from range(20000)"
    local = taken(tmp_path, rows, share=10, key=("id",), classification="internal")
    with duckdb.connect(str(local.file)) as here:
        found = here.execute("select count(id), count(*) - count(id) from shop.rows").fetchone()
    assert found is not None
    assert all(850 < number < 1150 for number in found)
