"""dbt's other features work on every engine: seeds, snapshots, increments, views, hooks, documentation.

One mesh, tests/features, is built three times. The tests of each build are together, and pytest runs them in order.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests import feature_mesh
from tests.engine import ENGINES
from tests.mesh import Mesh, Outcome

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough, pytest.mark.writes_json]

TEXT = "It's \"one\" row, 100 % of 'C:\\'."
PREFIX = "shop__internal.int_shop__"
DESCRIBED = [
    f"{PREFIX}described_table",
    f"{PREFIX}described_view",
    f"{PREFIX}described_incremental",
    "shop__internal.kinds",
]

# In addition to append and merge, which all engines have.
OWN_STRATEGIES = {"local": {"delete_insert"}, "emr": {"insert_overwrite"}, "athena": set[str]()}


@pytest.fixture(scope="module")
def mesh(new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """The mesh of tests/features, not built yet."""
    mesh = new_mesh(tmp_path_factory.mktemp("features"))
    feature_mesh.lay_out(mesh)
    assert mesh.dbt("deps").ok
    feature_mesh.land_first(mesh)
    return mesh


@pytest.fixture(scope="module")
def first(mesh: Mesh) -> Outcome:
    """The first build, of tests/features/first."""
    return feature_mesh.build(mesh)


@pytest.fixture(scope="module")
def second(mesh: Mesh, first: Outcome) -> Outcome:  # noqa: ARG001 - it comes first
    """The second build, with changed source rows and the models of tests/features/second."""
    feature_mesh.overlay(mesh, "second")
    mesh.land("sales", feature_mesh.SECOND)
    return feature_mesh.build(mesh)


@pytest.fixture(scope="module")
def third(mesh: Mesh, second: Outcome) -> Outcome:  # noqa: ARG001 - it comes first
    """The third build, a full refresh with tests/features/third."""
    feature_mesh.overlay(mesh, "third")
    return feature_mesh.build(mesh, "--full-refresh")


def rows(mesh: Mesh, model: str, columns: str = "sale_id, amount") -> list[tuple[Any, ...]]:
    return mesh.rows(f"select {columns} from {PREFIX}{model} order by 1, 2")


def column_names(mesh: Mesh, relation: str) -> list[str]:
    return [name for name, _ in mesh.engine.columns(relation)]


# After the first build


def test_all_of_it_is_built(first: Outcome) -> None:
    built = {status for name, status in first.statuses.items() if name != "doubled_is_small"}
    assert built == {"success", "pass"}, first.output


def test_seeds_keep_numbers_nulls_dates_and_text(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    expected = [
        (1, None, None, None, None, None, None, None, None),
        (
            9007199254740993,
            "007",
            Decimal("12345678.90"),
            0.1,
            True,
            date(1969, 12, 31),
            datetime(2024, 2, 29, 23, 59, 59, 123456),
            -7,
            'it\'s a "quoted", \\d\\\\ note',
        ),
        (
            9223372036854775807,
            "None",
            Decimal("0.10"),
            -1.5e-7,
            False,
            date(2024, 2, 29),
            datetime(2024, 1, 1),
            2147483647,
            "ünï €",
        ),
    ]
    found = mesh.rows("select * from shop__internal.kinds order by id")
    assert found == expected
    assert [type(value) for value in found[1]] == [type(value) for value in expected[1]]


def test_a_seed_whose_types_are_guessed(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    assert mesh.rows("select * from shop__internal.guessed order by id") == [
        (2, None, None, None, None, None),
        (7, "north", 0.25, date(2024, 2, 29), datetime(2024, 2, 29, 23, 59, 59), True),
    ]


def test_a_seed_of_many_rows_and_one_of_none(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    many = mesh.rows("select count(*), sum(id), max(name) from shop__internal.many")
    assert many == [(12_345, 12_344 * 12_345 // 2, "name 9999")]
    assert mesh.value("select count(*) from shop__internal.empty") == 0


def test_a_table_reads_through_an_ephemeral_model_and_a_view(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    assert mesh.rows(f"select doubled, read_at from {PREFIX}table order by 1") == [
        (doubled, datetime(2024, 1, 1, 12)) for doubled in (2, 4, 6)
    ]
    assert not mesh.has(f"{PREFIX}ephemeral")


def test_failing_rows_are_stored(mesh: Mesh, first: Outcome) -> None:
    assert first.statuses["doubled_is_small"] == "warn"
    assert first.failures["doubled_is_small"] == 1
    assert mesh.rows("select doubled, read_at from shop__internal.doubled_is_small") == [(6, datetime(2024, 1, 1, 12))]


def test_hooks_run_in_their_places(mesh: Mesh, first: Outcome) -> None:
    steps = mesh.rows("select step, n from raw.hooks order by step")
    assert steps == [(0, 0), (1, 3), (2, 3), (3, 3), (4, 3)]
    assert f"results: {len(first.statuses)}" in first.output


@pytest.mark.parametrize("relation", DESCRIBED)
def test_descriptions_are_kept_on_relations_and_columns(mesh: Mesh, first: Outcome, relation: str) -> None:  # noqa: ARG001
    column = "code" if relation.endswith("kinds") else "one"
    kept = feature_mesh.descriptions(mesh, relation)
    assert (kept[relation], kept[column]) == (TEXT, TEXT)


def test_descriptions_are_kept_on_ports(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    kept = feature_mesh.descriptions(mesh, "shop.lines")
    assert kept["shop.lines"] == "One row per line of lines."
    assert kept["line_id"] == "It's the key; C:\\path."


def test_grants_are_passed_over_with_a_warning(first: Outcome) -> None:
    assert "grants" in first.output.lower()
    assert first.statuses["kinds"] == "success"


def test_docs_generate_knows_every_column(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    generated = mesh.dbt("docs", "generate")
    assert generated.ok, generated.output
    catalog = json.loads((mesh.folder / "target/catalog.json").read_text())
    assert not catalog["errors"]
    found = {**catalog["nodes"], **catalog["sources"]}
    manifest = json.loads((mesh.folder / "target/manifest.json").read_text())
    kept = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed", "snapshot")]
    documented = {node["unique_id"] for node in kept if node["config"]["materialized"] != "ephemeral"}
    assert documented | set(manifest["sources"]) == {key for key in found if not key.startswith("test.")}
    lines = {name.lower(): column["type"].lower() for name, column in found["model.shop.lines"]["columns"].items()}
    assert list(lines) == ["line_id", "channel", "amount", "landed_at"]
    assert lines["amount"].replace(" ", "") == "decimal(10,2)"
    assert list(found["source.shop.raw.sales"]["columns"]) == ["sale_id", "day", "amount"]


def test_freshness_of_sources(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    checked = mesh.dbt("source", "freshness")
    assert checked.statuses == {"landed_an_hour_ago": "pass", "landed_yesterday": "warn", "landed_last_week": "error"}


def test_show_gives_rows(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    shown = mesh.dbt("show", "--select", "stg_raw__sales", "--limit", "5")
    assert shown.ok, shown.output
    assert "2024-01-02" in shown.output
    inline = mesh.dbt("show", "--inline", "select max(doubled) + 36 as answer from {{ ref('int_shop__table') }}")
    assert inline.ok, inline.output
    assert "42" in inline.output


def test_an_operation_runs_any_statement(mesh: Mesh, first: Outcome) -> None:  # noqa: ARG001
    done = mesh.dbt("run-operation", "shop.tidy")
    assert done.ok, done.output
    assert "steps: 0 1 3 4 9" in done.output


@pytest.fixture(scope="module")
def production(mesh: Mesh, first: Outcome) -> Path:  # noqa: ARG001 - it is production's
    """The folder with production's state."""
    return shutil.copytree(mesh.folder / "target", mesh.folder / "production")


@pytest.fixture
def ana(mesh: Mesh, production: Path) -> Iterator[list[str]]:
    """Sets the environment dev_ana during the test. Yields dbt arguments that name production's state."""
    feature_mesh.lay_out(mesh, environment="dev_ana")
    yield ["--state", str(production)]
    feature_mesh.lay_out(mesh)


def test_internal_models_are_deferred_to_production(mesh: Mesh, ana: list[str]) -> None:
    deferred = mesh.dbt("build", "--select", "int_shop__table", "--defer", *ana)
    assert deferred.statuses["int_shop__table"] == "success", deferred.output
    assert mesh.value("select count(*) from dev_ana__shop__internal.int_shop__table") == 3
    assert not mesh.has("dev_ana__shop__internal.stg_raw__sales")


def test_clones_of_internal_models_can_be_built_again(mesh: Mesh, ana: list[str]) -> None:
    selected = ["--select", "int_shop__merge", "int_shop__view_of_merge"]
    for _ in range(2):
        cloned = mesh.dbt("clone", *selected, *ana)
        assert cloned.ok, cloned.output
    assert mesh.value("select count(*) from dev_ana__shop__internal.int_shop__merge") == 3
    built = mesh.dbt("build", *selected, "--defer", *ana)
    assert built.ok, built.output
    assert mesh.value("select count(*) from dev_ana__shop__internal.int_shop__merge") == 3


# After the second


def test_only_what_must_fail_fails(second: Outcome) -> None:
    bad = {name: status for name, status in second.statuses.items() if status not in ("success", "pass")}
    assert bad == {
        "a_wrong_expectation": "fail",
        "int_shop__wrong": "skipped",
        "int_shop__change_fail": "error",
        "doubled_is_small": "warn",
    }, second.output
    assert second.statuses["rows_after_the_last_day_are_taken"] == "pass"


def test_each_strategy_of_an_incremental_model(mesh: Mesh, second: Outcome) -> None:
    merged = [(1, 10), (2, 21), (3, 30), (4, 40), (5, 50)]
    expected = {
        "append": [(1, 10), (2, 20), (2, 21), (3, 30), (4, 40), (5, 50)],
        "merge": merged,
        "delete_insert": merged,
        "insert_overwrite": [(1, 10), (2, 21), (4, 40), (5, 50)],
    }
    offered = {"append", "merge"} | OWN_STRATEGIES[mesh.target]
    assert offered == {name for name in expected if f"int_shop__{name}" in second.statuses}
    assert {name: rows(mesh, name) for name in offered} == {name: expected[name] for name in offered}


def test_a_merge_on_two_keys_leaves_a_column_alone(mesh: Mesh, second: Outcome) -> None:  # noqa: ARG001
    assert rows(mesh, "merge_on_two_keys", "sale_id, amount, first_amount") == [
        (1, 99, 10),
        (2, 20, 20),
        (2, 21, 21),
        (3, 30, 30),
        (4, 40, 40),
        (5, 50, 50),
    ]


def test_microbatches_replace_their_days(mesh: Mesh, second: Outcome) -> None:  # noqa: ARG001
    # Athena merges a batch by its key, so rows that are no longer in the batch remain.
    gone = [(3, 30)] if mesh.target == "athena" else []
    assert rows(mesh, "microbatch") == sorted([(1, 99), (2, 21), (4, 40), (5, 50), *gone])


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ("ignore", ["sale_id", "amount", "gone", "widened"]),
        ("append_new_columns", ["sale_id", "amount", "gone", "widened", "channel"]),
        ("sync_all_columns", ["sale_id", "amount", "widened", "channel"]),
        ("fail", ["sale_id", "amount", "gone", "widened"]),
    ],
)
def test_columns_that_change(mesh: Mesh, second: Outcome, change: str, columns: list[str]) -> None:  # noqa: ARG001
    assert sorted(column_names(mesh, f"{PREFIX}change_{change}")) == sorted(columns)
    if "channel" in columns:
        channels = rows(mesh, f"change_{change}", "sale_id, channel")
        assert channels == [(1, "web"), (2, "web"), (3, None), (4, "web"), (5, "web")]
    if change == "sync_all_columns":
        widened = rows(mesh, "change_sync_all_columns", "sale_id, widened")
        assert widened == [(1, 5_000_000_000), (2, 5_000_000_000), (3, 1), (4, 5_000_000_000), (5, 5_000_000_000)]


def test_a_snapshot_by_columns(mesh: Mesh, second: Outcome) -> None:  # noqa: ARG001
    kept = "select sale_id, amount, dbt_valid_to is null from shop__internal.sales_by_check order by 1, 2"
    assert mesh.rows(kept) == [
        (1, 10, False),
        (1, 99, True),
        (2, 20, False),
        (2, 21, True),
        (3, 30, False),
        (4, 40, True),
        (5, 50, True),
    ]


def test_a_snapshot_by_timestamp(mesh: Mesh, second: Outcome) -> None:  # noqa: ARG001
    kept = "select sale_id, amount, dbt_valid_to is null, dbt_is_deleted from shop__internal.sales_by_timestamp"
    assert mesh.rows(f"{kept} where sale_id <> 3 order by 1, 2") == [
        (1, 10, True, "False"),
        (2, 20, False, "False"),
        (2, 21, True, "False"),
        (4, 40, True, "False"),
        (5, 50, True, "False"),
    ]
    assert mesh.rows(f"{kept} where sale_id = 3 order by 4") == [(3, 30, False, "False"), (3, 30, True, "True")]
    validity = "select dbt_valid_from, dbt_valid_to from shop__internal.sales_by_timestamp where amount = 20"
    assert mesh.rows(validity) == [(datetime(2024, 1, 2), datetime(2024, 1, 3))]


def test_a_snapshot_gets_a_new_column(mesh: Mesh, second: Outcome) -> None:  # noqa: ARG001
    kept = "select number, state, dbt_valid_to is null from shop__internal.changing_columns order by 2 nulls first"
    assert mesh.rows(kept) == [(1, None, False), (1, "new", True)]


def test_a_snapshots_times_have_no_zone(mesh: Mesh, second: Outcome) -> None:  # noqa: ARG001
    ((valid_from,),) = set(mesh.rows("select max(dbt_valid_from) from shop__internal.sales_by_check"))
    assert valid_from.tzinfo is None
    types = dict(mesh.engine.columns("shop__internal.sales_by_check"))
    assert types["dbt_valid_from"] == types["changed_at"]


# After the full refresh


def test_a_full_refresh_starts_from_scratch(mesh: Mesh, third: Outcome) -> None:
    assert {name for name, status in third.statuses.items() if status not in ("success", "pass")} == {
        "a_wrong_expectation",
        "int_shop__wrong",
        "doubled_is_small",
    }, third.output
    assert rows(mesh, "append") == [(1, 99), (2, 21), (4, 40), (5, 50)]


def test_a_seed_whose_columns_changed(mesh: Mesh, third: Outcome) -> None:  # noqa: ARG001
    assert mesh.rows("select id, kind, name from shop__internal.changing order by id") == [(1, "x", "a"), (2, "y", "b")]


def test_a_view_that_was_a_table(mesh: Mesh, third: Outcome) -> None:  # noqa: ARG001
    assert rows(mesh, "switched", "number, state") == [(3, "view")]
