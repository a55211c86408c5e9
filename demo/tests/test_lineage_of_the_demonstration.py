"""The lineage of the demonstration: all of it is known, and a few columns are as they were written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.benchmarks.pairs import SQL
from portmesh.lineage import EVERY, Lineage, read_lineage
from portmesh.lineage.asking import find_asked
from portmesh.lineage.printing import as_json
from portmesh.state import current_state

GOLDEN = Path(__file__).with_name("lineage.json")
COLUMNS = [
    "customer_behaviour.household_activity.average_basket_value",
    "customer_behaviour.household_activity.trips",
    "customer_behaviour.campaign_response.has_redeemed",
    "customer_behaviour.product_pairs.support",
    "customers.households.household_id",
    "marketing.promotions.display_location",
    "orders.order_lines.order_line_id",
    "orders.baskets.sales_value",
    "platform.port_quality.good_row_share",
]


@pytest.fixture(scope="module")
def manifest() -> Mapping[str, Any]:
    return current_state().manifest


@pytest.fixture(scope="module")
def lineage(manifest: Mapping[str, Any]) -> Lineage:
    return read_lineage(manifest)


@pytest.mark.thorough
def test_all_columns_are_known(lineage: Lineage) -> None:
    assert_known(lineage)


@pytest.mark.nightly
@pytest.mark.parametrize("target", ["athena", "emr"])
def test_all_columns_are_known_in_the_sql_of_other_engines(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTMESH_S3_LAKE", "s3://lake")
    assert_known(read_lineage(current_state(target).manifest))


def assert_known(lineage: Lineage) -> None:
    nodes = [node for node in lineage.nodes.values() if node.node.startswith("model.")]
    assert len(nodes) > 20
    assert [(node.node, node.unknown) for node in nodes if node.is_assumed] == []
    assert [node.node for node in nodes if EVERY in node.columns] == []
    assert {id_ for node in nodes for id_ in node.reads} <= set(lineage.nodes)


@pytest.mark.thorough
def test_an_increment_reads_what_is_published(lineage: Lineage) -> None:
    assert "model.orders.order_lines" in lineage.nodes["model.orders.order_lines"].reads


@pytest.mark.thorough
def test_the_port_in_python_declares_what_the_same_port_in_sql_reads(
    manifest: Mapping[str, Any], lineage: Lineage
) -> None:
    id_ = "model.customer_behaviour.product_pairs"
    lines = manifest["nodes"]["model.orders.order_lines"]["relation_name"]
    twin = {"language": "sql", "compiled_code": SQL.read_text().replace("{{ ref('orders', 'order_lines') }}", lines)}
    nodes = {**manifest["nodes"], id_: {**manifest["nodes"][id_], **twin}}
    declared, read = lineage.nodes[id_], read_lineage({**manifest, "nodes": nodes}).nodes[id_]
    assert not read.is_assumed
    assert {name: set(each.inputs) for name, each in declared.columns.items()} == {
        name: set(each.inputs) for name, each in read.columns.items()
    }
    assert set(declared.influencing) == set(read.influencing)


@pytest.mark.thorough
def test_columns_are_as_written_down(lineage: Lineage) -> None:
    """After a change that is meant: python demo/tests/test_lineage_of_the_demonstration.py"""
    assert found_in(lineage) == json.loads(GOLDEN.read_text())


def found_in(lineage: Lineage) -> dict[str, dict[str, list[str]]]:
    """For each column: each column on its way up with its expression, and what decides the rows."""
    found = {}
    for name in COLUMNS:
        told = as_json(find_asked(name, lineage), down=False)
        hops = [
            f"{each['column']} = {each['expression']}".removesuffix(" = ") for each in (*told["columns"], *told["hops"])
        ]
        rows = [f"{each['kind']}: {each['expression']}" for each in told["influences"]]
        found[name] = {"columns": hops, "rows": rows}
    return found


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(found_in(read_lineage(current_state().manifest)), indent=2) + "\n")
