"""The rows of two environments are compared by the engine, on real rows: `portmesh diff --data`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml

from portmesh.contracts.rows.comparing import Pair, compare_rows
from portmesh.contracts.rows.comparison import PortRows, Rows
from portmesh.errors import UsageError
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh

pytestmark = pytest.mark.engines(*ENGINES)

NUMBERS = "select * from (values {}) as given(id, value)"
DOUBLES = "select id, cast(value as double) as value from (values {}) as given(id, value)"
DECIMALS = "select id, cast(value as {}) as value from (values {}) as given(id, value)"

# Published, built here, the key, and hidden columns with their levels.
TABLES: dict[str, tuple[str, str, tuple[str, ...], dict[str, str]]] = {
    "plain": (
        "select i as id, 'a' || i as name, i as amount from range(1000) t(i)",
        "select i as id, case when i = 3 then 'A3' else 'a' || i end as name, i + (i % 2) as amount "
        "from range(1, 1002) t(i)",
        ("id",),
        {},
    ),
    "same": (NUMBERS.format("(1, 'x'), (2, null)"), NUMBERS.format("(2, null), (1, 'x')"), ("id",), {}),
    "composite": (
        "select * from (values ('a', null, 1), ('a', 'b', 2), (null, null, 3), ('ab', 'c', 4)) as given(one, two, n)",
        "select * from (values ('a', null, 1), ('a', 'b', 7), (null, null, 3), ('a', 'bc', 4)) as given(one, two, n)",
        ("one", "two"),
        {},
    ),
    "nulls": (
        NUMBERS.format("(1, 'x'), (2, null), (3, null), (4, '')"),
        NUMBERS.format("(1, null), (2, 'x'), (3, null), (4, null)"),
        ("id",),
        {},
    ),
    "doubles": (
        DOUBLES.format("(1, 'nan'), (2, '0'), (3, 'infinity'), (4, '1'), (5, '100'), (6, 'nan'), (7, 'infinity')"),
        DOUBLES.format(
            "(1, 'nan'), (2, '-0.0'), (3, 'infinity'), (4, '1.0000001'), (5, '101'), (6, '1'), (7, '1e300')"
        ),
        ("id",),
        {},
    ),
    "decimals": (
        DECIMALS.format("decimal(38,2)", "(1, '123456789012345678901234567890123456.01'), (2, '1.50'), (3, '0.10')"),
        DECIMALS.format("decimal(38,2)", "(1, '123456789012345678901234567890123456.02'), (2, '1.50'), (3, '0.10')"),
        ("id",),
        {},
    ),
    "wider_decimals": (
        DECIMALS.format("decimal(38,1)", "(1, '123456789012345678901234567890123456.0'), (2, '1.5'), (3, '100')"),
        DECIMALS.format("decimal(38,10)", "(1, '12.5'), (2, '1.5'), (3, '100')"),
        ("id",),
        {},
    ),
    "widened": (
        "select cast(i as int) as id, cast(i as int) as n, cast(i as decimal(10,2)) as price from range(5) t(i)",
        "select i as id, i as n, cast(i as double) as price from range(5) t(i)",
        ("id",),
        {},
    ),
    "retyped": (
        "select i as id, '0' || i as code, date '2026-01-01' as day from range(3) t(i)",
        "select i as id, i as code, timestamp '2026-01-01 00:00:00' as day from range(3) t(i)",
        ("id",),
        {},
    ),
    "times": (
        "select 1 as id, timestamp '2026-01-01 10:00:00.000001' as at, date '2026-01-01' as day",
        "select 1 as id, timestamp '2026-01-01 10:00:00.000002' as at, date '2026-01-01' as day",
        ("id",),
        {},
    ),
    "columns": ("select 1 as id, 2 as old, 3 as kept", "select 1 as id, 3 as kept, 4 as fresh", ("id",), {}),
    "key_gone": ("select 1 as id, 3 as kept", "select 3 as kept", ("id",), {}),
    "nothing_shared": ("select 1 as one", "select 1 as other", (), {}),
    "no_key": (
        "select i % 3 as n, 'x' as name from range(9) t(i)",
        "select i % 3 as n, case when i in (0, 9) then null else 'x' end as name from range(10) t(i)",
        (),
        {},
    ),
    "decimals_no_key": (
        DECIMALS.format("decimal(38,1)", "(1, '123456789012345678901234567890123456.0'), (2, '1.5'), (3, '100')"),
        DECIMALS.format("decimal(38,10)", "(1, '12.5'), (2, '1.5'), (3, '100')"),
        (),
        {},
    ),
    "duplicates": (
        NUMBERS.format("(1, 'a'), (1, 'b'), (2, 'c')"),
        NUMBERS.format("(1, 'a'), (1, 'd'), (2, 'c')"),
        ("id",),
        {},
    ),
    "duplicates_here": (NUMBERS.format("(1, 'a'), (2, 'c')"), NUMBERS.format("(1, 'a'), (1, 'a')"), ("id",), {}),
    "secret": (
        "select 'ana' as person, 'ana@x' as mail, 1 as n union all select 'bo', 'bo@x', 1",
        "select 'ana' as person, 'ana@y' as mail, 2 as n union all select 'eve', 'eve@x', 1",
        ("person",),
        {"person": "restricted", "mail": "confidential"},
    ),
    "secret_no_key": ("select 'ana' as person, 1 as n", "select 'bo' as person, 1 as n", (), {"person": "restricted"}),
    "empty": ("select 1 as id, 'a' as name where false", "select 1 as id, 'a' as name", ("id",), {}),
    "not_built": ("select 1 as id", "", ("id",), {}),
    "not_published": ("", "select 1 as id", ("id",), {}),
}
NESTED: dict[str, tuple[str, str, tuple[str, ...], dict[str, str]]] = {
    "nested": (
        "select 1 as id, {'a': 1, 'b': [1, null]} as part, [1, 2] as list, map {'k': 1} as pairs",
        "select 1 as id, {'a': 1, 'b': [1, 2]} as part, [1, 2] as list, map {'k': 2} as pairs",
        ("id",),
        {},
    ),
    "collated": (
        "select 1 as id, 'Name' collate nocase as name, 'A' collate nocase as other",
        "select 1 as id, 'NAME' collate nocase as name, 'A' collate nocase as other",
        ("id",),
        {},
    ),
    "quoted": (
        'select 1 as "order", \'it\'\'s "so"\n| `x` <b>\' as "a Name"',
        'select 1 as "order", \'\' as "a Name"',
        ("order",),
        {},
    ),
}


def in_environment(mesh: Mesh, environment: str) -> None:
    profiles = mesh.folder / "profiles.yml"
    profile = yaml.safe_load(profiles.read_text())
    profile["portmesh"]["outputs"][mesh.target]["schema"] = environment
    profiles.write_text(yaml.safe_dump(profile))


class Compared:
    """Tables of a production and of the environment dev_ana, compared once with and once without a tolerance."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        mesh.set_up("shop", environment="dev_ana")
        assert mesh.dbt("deps", "--quiet").ok
        self.tables = TABLES | (NESTED if mesh.target == "local" else {})
        for name, (published, built, *_) in self.tables.items():
            for schema, select in (("shop", published), ("dev_ana__shop", built)):
                if select:
                    mesh.engine.make_table(f"{schema}.{name}", select)
        self.rows = self.compare(0)

    def compare(self, tolerance: float, *names: str) -> Rows:
        given = {name: self.tables[name] for name in names or self.tables}
        pairs = [
            Pair(f"shop.{name}", f"shop.{name}", f"shop.{name}", key, hidden)
            for name, (_, _, key, hidden) in given.items()
        ]
        with chdir(self.mesh.folder):
            return compare_rows(pairs, tolerance=tolerance)

    def __getitem__(self, name: str) -> PortRows:
        return next(port for port in self.rows.ports if port.port == f"shop.{name}")

    def differ(self, name: str) -> dict[str, int | None]:
        return {column.name: column.differ for column in self[name].columns}

    def examples(self, name: str, column: str) -> list[tuple[Any, ...]]:
        (found,) = [each for each in self[name].columns if each.name == column]
        return [(*one.key, one.before, one.now) for one in found.examples]


@pytest.fixture(scope="module")
def compared(new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory) -> Compared:
    return Compared(new_mesh(tmp_path_factory.mktemp("rows")))


def counts(port: PortRows) -> tuple[int, int, int, int, int | None]:
    return port.rows_before, port.rows_now, port.gone, port.added, port.changed


def test_keys_and_values_are_counted(compared: Compared) -> None:
    assert counts(compared["plain"]) == (1000, 1001, 1, 2, 500)
    assert compared.differ("plain") == {"name": 1, "amount": 500}
    assert compared.examples("plain", "name") == [("3", "a3", "A3")]
    assert [one.key for one in compared["plain"].examples_gone] == [["0"]]
    assert [one.key for one in compared["plain"].examples_added] == [["1000"], ["1001"]]
    found = compared.examples("plain", "amount")
    assert 2 <= len(found) <= 3
    assert all(int(now) == int(before) + 1 for _, before, now in found)
    assert not compared["plain"].is_same


def test_the_same_rows_in_another_order_are_the_same(compared: Compared) -> None:
    assert counts(compared["same"]) == (2, 2, 0, 0, 0)
    assert compared["same"].is_same


def test_all_columns_of_a_key_count_and_its_nulls_pair(compared: Compared) -> None:
    assert counts(compared["composite"]) == (4, 4, 1, 1, 1)
    assert compared.examples("composite", "n") == [("a", "b", "2", "7")]
    assert [one.key for one in compared["composite"].examples_gone] == [["ab", "c"]]


def test_null_differs_from_a_value_only(compared: Compared) -> None:
    assert compared.differ("nulls") == {"value": 3}
    assert ("1", "x", None) in compared.examples("nulls", "value")


def test_doubles_are_exact_unless_a_tolerance_is_given(compared: Compared) -> None:
    assert compared.differ("doubles") == {"value": 4}
    (near,) = compared.compare(1e-6, "doubles").ports
    assert [column.differ for column in near.columns] == [3]
    assert {one.key[0] for one in near.columns[0].examples} <= {"5", "6", "7"}
    (decimal,) = compared.compare(0.5, "decimals").ports
    assert decimal.changed == 1


def test_decimals_are_exact_to_the_last_digit(compared: Compared) -> None:
    assert compared.differ("decimals") == {"value": 1}
    large = "123456789012345678901234567890123456"
    assert compared.examples("decimals", "value") == [("1", f"{large}.01", f"{large}.02")]
    assert compared.differ("wider_decimals") == {"value": 1}


def test_a_wider_type_has_the_same_values(compared: Compared) -> None:
    widened = compared["widened"]
    assert counts(widened) == (5, 5, 0, 0, 0)
    assert [(one.type_before, one.type_now, one.as_text) for one in widened.columns] == [
        ("int", "bigint", False),
        ("decimal(10,2)", "double", False),
    ]


def test_other_types_are_compared_as_text(compared: Compared) -> None:
    code, day = compared["retyped"].columns
    assert (code.as_text, code.differ) == (True, 3)
    assert compared.examples("retyped", "code")[0] == ("0", "00", "0")
    assert (day.as_text, day.differ) == (False, 0)


def test_a_microsecond_is_a_difference(compared: Compared) -> None:
    assert compared.differ("times") == {"at": 1, "day": 0}


def test_columns_of_one_side_are_named(compared: Compared) -> None:
    found = compared["columns"]
    assert (found.only_before, found.only_now, found.changed) == (["old"], ["fresh"], 0)
    assert not found.is_same
    assert (compared["key_gone"].key, compared["key_gone"].changed) == ([], None)
    assert compared["nothing_shared"].state == "no common column"


def test_without_a_key_whole_rows_are_counted(compared: Compared) -> None:
    found = compared["no_key"]
    assert counts(found) == (9, 10, 1, 2, None)
    assert [one.key for one in found.examples_gone] == [["0", "x"]]
    assert ["0", None] in [one.key for one in found.examples_added]


def test_without_a_key_decimals_are_numbers_too(compared: Compared) -> None:
    found = compared["decimals_no_key"]
    assert counts(found) == (3, 3, 1, 1, None)
    assert [one.key for one in found.examples_added] == [["1", "12.5"]]


@pytest.mark.parametrize("name", ["duplicates", "duplicates_here"])
def test_a_key_that_is_not_unique_is_noticed(compared: Compared, name: str) -> None:
    assert not compared[name].is_key_unique
    assert not compared[name].is_same
    assert compared["plain"].is_key_unique


def test_values_above_the_level_never_leave_the_engine(compared: Compared) -> None:
    found = compared["secret"]
    assert counts(found) == (2, 2, 1, 1, 1)
    assert found.hidden_key == ["person"]
    assert compared.differ("secret") == {"mail": 1, "n": 1}
    assert [column.hidden for column in found.columns] == ["confidential", ""]
    assert compared.examples("secret", "n") == [(None, "1", "2")]
    assert [one.key for one in found.examples_gone] == [[None]]
    for name in ("secret", "secret_no_key"):
        text = compared[name].model_dump_json()
        assert not any(value in text for value in ("ana", "eve", '"bo', "@"))
    assert [one.key for one in compared["secret_no_key"].examples_added] == [[None, "1"]]


def test_an_empty_table_and_one_that_is_not_there(compared: Compared) -> None:
    assert counts(compared["empty"]) == (0, 1, 0, 1, 0)
    assert compared["not_built"].state == "not built"
    assert compared["not_published"].state == "not published"


def test_production_itself_is_not_compared(compared: Compared) -> None:
    in_environment(compared.mesh, "prod")
    with pytest.raises(UsageError, match="both sides are the same tables"):
        compared.compare(0, "plain")
    in_environment(compared.mesh, "dev_ana")


@pytest.mark.engines("local")
def test_nested_values_collations_and_odd_names(compared: Compared) -> None:
    assert compared.differ("nested") == {"part": 1, "list": 0, "pairs": 1}
    assert compared.examples("nested", "part") == [("1", "{'a': 1, 'b': [1, NULL]}", "{'a': 1, 'b': [1, 2]}")]
    assert compared.differ("collated") == {"name": 1, "other": 0}
    assert compared.examples("quoted", "a Name") == [("1", 'it\'s "so"\n| `x` <b>', "")]


@pytest.fixture
def changed(shop: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """The port shop.lines, published; and in dev_ana with other amounts. `base.json` is the mesh as published."""
    assert shop.dbt("build").ok
    shutil.copy(shop.folder / "target" / "manifest.json", shop.folder / "base.json")
    in_environment(shop, "dev_ana")
    sql = shop.folder / "domains/shop/models/output_ports/lines.sql"
    sql.write_text(sql.read_text().replace("cast(amount as", "cast(amount + line_id % 2 as"))
    monkeypatch.chdir(shop.folder)
    return shop


@pytest.mark.engines("local")
@pytest.mark.thorough
@pytest.mark.writes_json
def test_the_command_shows_the_rows_of_changed_ports(changed: Mesh, portmesh: Portmesh) -> None:
    asked = ("diff", "--against", "base.json", "--data")
    not_built = portmesh(*asked)
    assert "shop.lines: not built here, so its rows were not compared." in not_built.out
    assert "PORTMESH_ENVIRONMENT=dev_ana dbt build --select +lines" in not_built.out
    assert changed.dbt("build").ok
    found = portmesh(*asked)
    assert "shop.lines: 50 of 100 rows changed, 0 added, 0 gone." in found.out
    assert "1.50 → 2.50   (line_id 1)" in found.out
    hidden = portmesh(*asked, "--hide-above", "public", "--format", "markdown")
    assert "50 of 100 rows differ (50.00 %)<br>internal: its values are not shown" in hidden.out
    assert "2.50" not in hidden.out
    wrong = portmesh(*asked, "--hide-above", "intern")
    assert wrong.exit_code == 2
    assert "There is no classification 'intern'. Did you mean internal?" in wrong.err
