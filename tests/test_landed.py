"""landed(feed) reads the lake on the target local: batches that match their manifests, or an error message."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portmesh.lake.batches import BatchName
from portmesh.lake.folder import FolderLake, Manifest
from portmesh.lake.lake import Damage
from tests.mesh import Mesh

pytestmark = pytest.mark.thorough

LANDED_AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
# The rows of each week that has landed.
ROWS = {1: 37, 2: 314, 3: 273}
WEEK_2, WEEK_3 = "sales/2017-W02", "sales/2017-W03"
VIEW = "shop__internal.stg_lines"


def batch(week: int) -> BatchName:
    return BatchName("sales", f"2017-W{week:02}")


def land(lake: Path, week: int, number: int = 0, has_wrong_type: bool = False) -> None:
    """Land this number of rows as the batch of a week (default: ROWS). Those with a wrong type land a day later."""
    rows = range(number or ROWS[week])
    values = ["n/a" for _ in rows] if has_wrong_type else [row / 4 for row in rows]
    table = pa.table({"line_id": list(rows), "quantity": [row % 7 for row in rows], "sales_value": values})
    with FolderLake(lake).landing():
        FolderLake(lake).land(batch(week), table, LANDED_AT + timedelta(days=has_wrong_type))


def withdraw(lake: Path, week: int) -> None:
    with FolderLake(lake).landing():
        FolderLake(lake).withdraw(batch(week))


def found(lake: Path, week: int) -> Manifest | Damage:
    """What a landing would find."""
    return FolderLake(lake).inspect(batch(week))


@pytest.fixture(scope="module")
def three_weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with three weeks. Do not change it."""
    folder = tmp_path_factory.mktemp("landed") / "lake"
    for week in ROWS:
        land(folder, week)
    return folder


# Ways to damage a batch, and what is found then


def truncate(folder: Path) -> None:
    file = folder / "data.parquet"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _edit_byte(folder: Path) -> None:
    file = folder / "data.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _remove_data(folder: Path) -> None:
    (folder / "data.parquet").unlink()


def _cut_manifest(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text()[:100])


def _swap_manifest(folder: Path) -> None:
    shutil.copy(folder.parent / "2017-W01/manifest.json", folder)


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (truncate, " bytes"),
    "edited byte": (_edit_byte, "sha256 "),
    "no manifest": (_remove_manifest, "no manifest.json"),
    "no data": (_remove_data, "no data.parquet"),
    "half a manifest": (_cut_manifest, "JSON"),
    "another's manifest": (_swap_manifest, "the manifest of "),
}


def refused(mesh: Mesh, sql: str) -> str:
    """The error that DuckDB raises instead of rows."""
    with pytest.raises(duckdb.Error) as error:
        mesh.rows(sql)
    return str(error.value)


def _write_lake_mesh(mesh: Mesh) -> None:
    mesh.set_up("shop", root={"on-run-start": ["{{ create_lake_functions() }}"]})
    staging = "domains/shop/models/staging"
    mesh.write(
        f"{staging}/_shop__models.yml",
        """
        sources:
          - name: lake
            tables:
              - name: sales
                config: {meta: {external_location: "landed('sales')"}}
        """,
    )
    mesh.write(f"{staging}/stg_lines.sql", "select * from {{ source('lake', 'sales') }}")
    assert mesh.dbt("deps").ok


@pytest.fixture(scope="module")
def lake_mesh(three_weeks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mesh, Path]]:
    """A mesh, built once, with a staging view on a lake of three weeks; and the lake's folder."""
    mesh = Mesh(tmp_path_factory.mktemp("lake_mesh"))
    _write_lake_mesh(mesh)
    lake = Path(shutil.copytree(three_weeks, mesh.folder / "the team's lake"))
    with pytest.MonkeyPatch.context() as patch:
        # A relative path starts at the mesh's root, not at the caller's folder.
        patch.setenv("PORTMESH_LAKE", "the team's lake")
        outcome = mesh.dbt("run")
        assert outcome.statuses["stg_lines"] == "success", outcome.output
        yield mesh, lake


@pytest.fixture
def staged(lake_mesh: tuple[Mesh, Path], three_weeks: Path) -> Iterator[tuple[Mesh, Path]]:
    """That mesh. Its lake is restored after the test."""
    yield lake_mesh
    shutil.rmtree(lake_mesh[1])
    shutil.copytree(three_weeks, lake_mesh[1])


def test_landed_gives_the_rows_of_all_batches(staged: tuple[Mesh, Path]) -> None:
    mesh, _ = staged
    assert mesh.rows(f"select _batch_id, count(*) from {VIEW} group by all order by all") == [
        ("2017-W01", 37),
        ("2017-W02", 314),
        ("2017-W03", 273),
    ]
    with duckdb.connect(str(mesh.database)) as connection:
        connection.execute("set threads = 2")
        connection.execute("begin")
        connection.execute(f"create temp table copied as select * from {VIEW} where _batch_id > '2017-W01'")
        connection.execute("commit")
        assert connection.execute("select count(*) from copied").fetchall() == [(587,)]


def test_a_new_batch_is_read_without_a_build(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    land(lake, 5, 26)
    assert mesh.value(f"select count(*) from {VIEW}") == 624 + 26


@pytest.mark.parametrize("damage", sorted(DAMAGES.keys() - {"truncated"}))
@pytest.mark.parametrize("columns", ["count(*)", "sum(sales_value)"])
def test_landed_names_a_damaged_batch(staged: tuple[Mesh, Path], damage: str, columns: str) -> None:
    mesh, lake = staged
    break_it, got = DAMAGES[damage]
    break_it(lake / WEEK_2)
    message = refused(mesh, f"select {columns} from {VIEW}")
    assert f"{WEEK_2} does not match its manifest, so sales cannot be read." in message
    assert got in message
    assert "next      portmesh land sales FILE --replace --batch 2017-W02, then dbt build" in message


# What a manifest says about the rows


def _rewrite(folder: Path, change: Callable[[pa.Table], pa.Table], **promised: object) -> None:
    """Change a batch's rows. Its manifest gets the new bytes and the values of `promised`."""
    data = folder / "data.parquet"
    pq.write_table(change(pq.read_table(data)), data, compression="zstd")
    _rewrite_manifest(folder, **promised)


def _rewrite_manifest(folder: Path, **promised: object) -> None:
    data, manifest = folder / "data.parquet", folder / "manifest.json"
    content = data.read_bytes()
    facts = json.loads(manifest.read_text())
    facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} | promised
    manifest.write_text(json.dumps(facts))


def _with(column: str, value: Callable[[pa.Table], Any]) -> Callable[[pa.Table], pa.Table]:
    """A change that replaces one column by the result of `value`."""
    return lambda rows: rows.set_column(rows.schema.get_field_index(column), column, value(rows))


def _last_is(column: str, other: object) -> Callable[[pa.Table], pa.Table]:
    """A change of the last row only."""

    def value(rows: pa.Table) -> pa.ChunkedArray:
        last = pa.array([other], rows[column].type)
        return pa.chunked_array([*rows[column].slice(0, rows.num_rows - 1).chunks, last])

    return _with(column, value)


ANOTHER_DAY = datetime(2026, 11, 24)
CONTRADICTIONS: dict[str, tuple[Callable[[pa.Table], pa.Table], str, str]] = {
    "a row is missing": (lambda rows: rows.slice(1), "313 rows", "314 rows (manifest.json)"),
    "rows of another batch": (
        _with("_batch_id", lambda rows: pa.repeat("2017-W01", rows.num_rows)),
        "rows with the _batch_id 2017-W01",
        "_batch_id 2017-W02 in every row",
    ),
    "one row of a later batch": (
        _last_is("_batch_id", "2017-W09"), "rows with the _batch_id 2017-W09", "_batch_id 2017-W02 in every row",
    ),
    "one row of no batch": (
        _last_is("_batch_id", None), "rows without a _batch_id", "_batch_id 2017-W02 in every row",
    ),
    "all rows of no batch": (
        _with("_batch_id", lambda rows: pa.nulls(rows.num_rows, pa.string())),
        "rows without a _batch_id",
        "_batch_id 2017-W02 in every row",
    ),
    "one row of another time": (
        _last_is("_landed_at", ANOTHER_DAY),
        "rows with the _landed_at 2026-11-24 00:00:00",
        "_landed_at 2026-11-23 06:00:00 in every row",
    ),
    "another type": (
        _with("quantity", lambda rows: rows["quantity"].cast(pa.int32())),
        "quantity INTEGER",
        "quantity BIGINT (manifest.json)",
    ),
    "a column is missing": (
        lambda rows: rows.drop_columns(["quantity"]), "quantity missing", "quantity BIGINT (manifest.json)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_batch_whose_rows_are_not_those_of_its_manifest(staged: tuple[Mesh, Path], case: str) -> None:
    mesh, lake = staged
    change, got, allowed = CONTRADICTIONS[case]
    _rewrite(lake / WEEK_2, change)
    for columns in ("count(*)", "sum(sales_value)"):
        message = refused(mesh, f"select {columns} from {VIEW}")
        assert f"{WEEK_2} does not match its manifest, so sales cannot be read." in message
        assert f"got       {got}\n" in message
        assert f"allowed   {allowed}\n" in message
    damage = found(lake, 2)
    assert isinstance(damage, Damage)
    assert (damage.got, damage.allowed) == (got, allowed)
    land(lake, 2)
    assert mesh.value(f"select count(*) from {VIEW}") == 624


def test_a_batch_whose_file_does_not_tell_of_its_rows(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    data = lake / WEEK_2 / "data.parquet"
    pq.write_table(pq.read_table(data), data, write_statistics=False)
    _rewrite_manifest(lake / WEEK_2)
    got = "no statistics for _batch_id in data.parquet"
    assert f"got       {got}" in refused(mesh, f"select count(*) from {VIEW}")
    damage = found(lake, 2)
    assert isinstance(damage, Damage)
    assert damage.got == got


def test_a_batch_whose_file_is_no_parquet(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    (lake / WEEK_2 / "data.parquet").write_text("lines;" * 100)
    _rewrite_manifest(lake / WEEK_2)
    assert f"{WEEK_2}/data.parquet" in refused(mesh, f"select sum(sales_value) from {VIEW}")
    damage = found(lake, 2)
    assert isinstance(damage, Damage)
    assert damage.got == "a file that is not Parquet"


def test_a_batch_without_rows_has_none_of_another_batch(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    _rewrite(lake / WEEK_2, lambda rows: rows.slice(0, 0), rows=0)
    assert mesh.value(f"select count(*) from {VIEW}") == 624 - 314
    assert isinstance(found(lake, 2), Manifest)


# Columns that change


def test_the_columns_of_a_feed_change_with_a_batch(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    land(lake, 4, 28, has_wrong_type=True)
    assert refused(mesh, f"select count(*) from {VIEW}").endswith(
        """\
The columns of sales changed with the batch 2017-W04, so it cannot be read.

  before    sales_value DOUBLE (3 batches, last landed: 2017-W03)
  since     sales_value VARCHAR (1 batch, first landed: 2017-W04)
  next      if it is a mistake: portmesh land sales FILE --replace --batch 2017-W04, then dbt build
            if it is intended: land the other 3 batches again with the new columns,
            or land the new ones as a separate feed, and union both in staging"""
    )


def test_more_new_batches_than_old_ones_do_not_make_the_old_ones_wrong(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    for week in (4, 5, 6, 7):
        land(lake, week, 28, has_wrong_type=True)
    message = refused(mesh, f"select count(*) from {VIEW}")
    assert "changed with the batch 2017-W04" in message
    assert "before    sales_value DOUBLE (3 batches" in message
    assert "since     sales_value VARCHAR (4 batches, first landed: 2017-W04)" in message


def test_an_old_batch_that_lands_again_with_other_columns_is_the_change(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    withdraw(lake, 1)
    land(lake, 1, has_wrong_type=True)
    message = refused(mesh, f"select count(*) from {VIEW}")
    assert "changed with the batch 2017-W01" in message
    assert "since     sales_value VARCHAR (1 batch, first landed: 2017-W01)" in message


def test_the_order_of_columns_is_no_change(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    _rewrite(lake / WEEK_3, lambda rows: rows.select(rows.column_names[::-1]))
    assert mesh.value(f"select sum(sales_value) from {VIEW} where _batch_id = '2017-W03'") > 0


def test_a_batch_that_is_named_like_a_partition_keeps_its_rows(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    shutil.rmtree(lake / "sales")
    with FolderLake(lake).landing():
        FolderLake(lake).land(BatchName("sales", "line_id=9"), pa.table({"line_id": [1, 2]}), LANDED_AT)
    found = mesh.rows("select line_id, _batch_id from landed('sales') order by 1")
    assert found == [(1, "line_id=9"), (2, "line_id=9")]


# What is empty, or no name


def test_an_empty_folder_is_a_batch_that_did_not_land(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    (lake / "sales/2017-W07").mkdir()
    message = refused(mesh, f"select count(*) from {VIEW}")
    assert "sales/2017-W07 does not match its manifest" in message
    assert "got       no data.parquet and no manifest.json\n" in message
    assert isinstance(found(lake, 7), Damage)
    assert "next      portmesh land sales --withdraw 2017-W07, then dbt build" in message
    withdraw(lake, 7)
    assert mesh.value(f"select count(*) from {VIEW}") == 624


def test_a_file_beside_the_batches_is_named(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    (lake / "sales/.DS_Store").write_text("")
    assert mesh.value(f"select count(*) from {VIEW}") == 624
    (lake / "sales/notes.txt").write_text("")
    assert "sales/notes.txt does not match its manifest" in refused(mesh, f"select 1 from {VIEW}")


@pytest.mark.parametrize("name", ["*", "sales/..", "", "a b"])
def test_what_is_no_name_is_no_path(staged: tuple[Mesh, Path], name: str) -> None:
    assert "landed() takes the name of a feed" in refused(staged[0], f"from landed('{name}')")


def test_names_from_outside_reach_no_terminal_raw(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    (lake / "sales/2017\x1b[2J\nW04").mkdir()
    message = refused(mesh, f"select 1 from {VIEW}")
    assert "sales/2017�[2J�W04 does not match its manifest" in message
    assert "\x1b" not in message


# What DuckDB itself reports before any row is read, and what the run then says


def test_damage_that_fails_before_rows_are_read(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    for week in ("2017-W01", "2017-W03"):
        truncate(lake / "sales" / week)
    outcome = mesh.dbt("run")
    assert outcome.statuses["stg_lines"] == "error"
    assert "sales/2017-W01/data.parquet" in outcome.messages["stg_lines"]
    assert "sales/2017-W01 does not match its manifest" in outcome.output
    assert "and       1 more of its batches" in outcome.output


@pytest.mark.parametrize("is_empty", [False, True], ids=["no folder", "empty folder"])
def test_a_build_without_a_batch_says_what_to_land(staged: tuple[Mesh, Path], is_empty: bool) -> None:
    mesh, lake = staged
    shutil.rmtree(lake / "sales")
    if is_empty:
        (lake / "sales").mkdir()
    outcome = mesh.dbt("run")
    assert outcome.statuses["stg_lines"] == "error"
    said = outcome.messages["stg_lines"]
    assert "The lake has no batch of lake.sales." in said
    assert f"where   {lake}/sales\n" in said
    assert "next    portmesh land lake.sales FILE, then dbt build" in said
    assert "No files found" not in outcome.output


def test_a_view_on_a_feed_without_a_batch_says_what_to_land(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    reader = "domains/shop/models/staging/int_lines.sql"
    mesh.write(reader, "{{ config(materialized='table') }} select * from {{ ref('stg_lines') }}")
    shutil.rmtree(lake / "sales")
    outcome = mesh.dbt("run", "--select", "int_lines")
    mesh.remove(reader)
    assert "No files found" in outcome.messages["int_lines"]
    assert "The lake has no batch of lake.sales." in outcome.output
    assert "next    portmesh land lake.sales FILE, then dbt build" in outcome.output


# Commands that run no hooks


def test_show_reads_a_feed_that_has_just_landed(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    shutil.rmtree(lake / "sales")
    assert not mesh.dbt("run").ok
    show = ("show", "--inline", "select count(*) as lines from {{ source('lake', 'sales') }}")
    assert "No files found that match the pattern" in mesh.dbt(*show).output
    land(lake, 1)
    shown = mesh.dbt(*show)
    assert shown.ok, shown.output
    assert "37" in shown.output


def test_show_reads_a_batch_that_was_damaged_when_dbt_last_ran(staged: tuple[Mesh, Path]) -> None:
    mesh, lake = staged
    truncate(lake / "sales/2017-W01")
    assert not mesh.dbt("run").ok
    land(lake, 1)
    assert "314" in mesh.dbt("show", "--inline", f"select count(*) from {VIEW} where _batch_id = '2017-W02'").output


def test_compile_without_introspection(staged: tuple[Mesh, Path]) -> None:
    compiled = staged[0].dbt("compile", "--no-introspect")
    assert compiled.ok, compiled.output
