"""What lineage keeps on the disk: the same again, without reading SQL that was read before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portmesh.lineage import Lineage, read_lineage, reading
from tests.sql_manifest import manifest, model, source

Nodes = dict[str, dict[str, Any]]


def chain(**sql: str) -> dict[str, Any]:
    """A source and three models, each of which reads the one before."""
    lines = source("raw.lines", ["price", "day"])
    first = model("shop.a", sql.get("a", 'select price, day from "mesh"."raw"."lines"'), ["source.shop.raw.lines"])
    second = model("shop.b", sql.get("b", 'select price * 2 as twice from "mesh"."shop"."a"'), ["model.shop.a"])
    third = model("shop.c", sql.get("c", 'select * from "mesh"."shop"."b"'), ["model.shop.b"])
    return manifest(lines, first, second, third)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the nodes whose SQL is read, in order."""
    seen: list[str] = []
    whole: Callable[..., Any] = reading.qualified

    def qualified(node: dict[str, Any], *others: Any) -> Any:
        seen.append(node["unique_id"])
        return whole(node, *others)

    monkeypatch.setattr(reading, "qualified", qualified)
    return seen


def test_what_was_read_is_kept(tmp_path: Path, read: list[str]) -> None:
    file = tmp_path / "new" / "lineage.sqlite"
    first = read_lineage(chain(), file)
    assert read == ["model.shop.a", "model.shop.b", "model.shop.c"]
    read.clear()
    second = read_lineage(chain(), file)
    assert read == []
    assert (second.nodes, second.tables.columns) == (first.nodes, first.tables.columns)


@pytest.mark.parametrize(
    ("sql", "again"),
    [
        # Other expressions, the same columns: only this one.
        ({"a": 'select price + 1 as price, day from "mesh"."raw"."lines"'}, ["a"]),
        ({"c": 'select twice from "mesh"."shop"."b"'}, ["c"]),
        # Another column: also what reads it.
        ({"a": 'select price, day, 1 as more from "mesh"."raw"."lines"'}, ["a", "b"]),
        # Another name, that two others pass on.
        ({"b": 'select price * 2 as double from "mesh"."shop"."a"'}, ["b", "c"]),
    ],
)
def test_a_change_is_read_again_with_what_its_columns_reach(
    sql: dict[str, str], again: list[str], tmp_path: Path, read: list[str]
) -> None:
    read_lineage(chain(), tmp_path / "kept")
    read.clear()
    assert read_lineage(chain(**sql), tmp_path / "kept").nodes == read_lineage(chain(**sql)).nodes
    assert read[: len(again)] == [f"model.shop.{name}" for name in again]
    assert len(read) == len(again) + 3


def test_two_states_share_the_file(tmp_path: Path, read: list[str]) -> None:
    other = chain(b='select price from "mesh"."shop"."a"')
    for each in (chain(), other, chain(), other):
        read_lineage(each, tmp_path / "kept")
    assert read == [f"model.shop.{name}" for name in ("a", "b", "c", "b", "c")]


def test_a_relation_that_becomes_a_node_is_read_again(tmp_path: Path) -> None:
    asked = model("shop.asked", 'select rate from "mesh"."shop"."rates"')
    rates = model("shop.rates", "select 1 as rate")

    def reads(lineage: Lineage) -> tuple[str, ...]:
        return lineage.nodes["model.shop.asked"].reads

    assert reads(read_lineage(manifest(asked), tmp_path / "kept")) == ("relation.mesh.shop.rates",)
    assert reads(read_lineage(manifest(asked, rates), tmp_path / "kept")) == ("model.shop.rates",)


def test_a_damaged_file_is_made_again(tmp_path: Path, read: list[str]) -> None:
    file = tmp_path / "kept"
    file.write_bytes(b"this is no database" * 100)
    read_lineage(chain(), file)
    read_lineage(chain(), file)
    read_lineage(chain(), file)
    assert len(read) == 6


def test_a_file_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "a file" / "kept"
    (tmp_path / "a file").write_text("")
    assert read_lineage(chain(), file).nodes == read_lineage(chain()).nodes
