"""`portmesh lineage`: what it prints for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.event_v2 import DatasetEvent, StaticDataset
from openlineage.client.facet_v2 import column_lineage_dataset
from openlineage.client.serde import Serde

from portmesh.cli import main
from portmesh.state import MeshState
from tests.sql_manifest import manifest, model, source

LINES = source("tills.lines", {"price": "double"}, database="mesh")
STAGED = model(
    "orders.stg_lines",
    """with lines as (select * from "mesh"."tills"."lines"), cast_lines as (
        select cast(price as decimal(10, 2)) as value, sold_on, household_id from lines where is_test = false
    ) select * from cast_lines""",
    ["source.shop.tills.lines"],
)
DAYS = model(
    "orders.days",
    'select sold_on, sum(value) as value, count(*) as line_count from "mesh"."orders"."stg_lines" group by sold_on',
    ["model.orders.stg_lines"],
    contract={"sold_on": "date", "value": "decimal(12, 2)", "line_count": "bigint"},
    database="mesh",
    schema="orders",
)
TEXT = 'def model(dbt, session):\n    return dbt.ref("orders", "days")\n'
FORECAST = model("plans.forecast", TEXT, ["model.orders.days"], language="python", contract={"value": "double"})


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    state = MeshState("the working tree", manifest(LINES, STAGED, DAYS, FORECAST))
    monkeypatch.setattr("portmesh.commands.lineage.current_state", lambda _: state)
    monkeypatch.setattr("portmesh.commands.lineage.cache_file", lambda: tmp_path / "lineage.sqlite")


def run(capsys: pytest.CaptureFixture[str], *arguments: str, expect: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["lineage", *arguments])
    assert ended.value.code == expect
    captured = capsys.readouterr()
    return captured.out if expect == 0 else captured.out + captured.err


def test_the_way_up_with_the_expression_at_each_hop(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capsys, "orders.days.value")
        == """\
orders.days.value   decimal(12, 2)
    = SUM(orders.stg_lines.value)
  orders.stg_lines.value   decimal(10, 2)
      = CAST(tills.lines.price AS DECIMAL(10, 2))
    tills.lines.price   double

Which rows orders.days has is decided by:
  group     orders.stg_lines.sold_on
"""
    )


def test_the_way_down_and_the_rows_that_a_column_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capsys, "tills.lines.is_test", "--down")
        == """\
tills.lines.is_test

It decides which rows 1 node has:
  orders.stg_lines: filter  tills.lines.is_test = FALSE
"""
    )
    down = run(capsys, "tills.lines.price", "--down")
    assert "\n    orders.days.value   decimal(12, 2)\n        = SUM(orders.stg_lines.value)\n" in down
    assert "\n      plans.forecast.value   double\n          may come from everything" in down


def test_a_node_with_all_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capsys, "orders.days")
        == """\
orders.days

  sold_on   date
      orders.stg_lines.sold_on

  value   decimal(12, 2)
      SUM(orders.stg_lines.value)

  line_count   bigint
      COUNT(*)

Which rows orders.days has is decided by:
  group     orders.stg_lines.sold_on
"""
    )
    down = run(capsys, "orders.stg_lines", "--down")
    assert "\n  sold_on\n      orders.days.sold_on, orders.days (which rows it has)\n" in down
    assert "\n  household_id\n      nothing reads it\n" in down


def test_what_is_not_known_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "plans.forecast.value")
    assert text.startswith(
        "The lineage of plans.forecast is not known: it is a Python model that declares no lineage\n"
    )
    assert "may come from everything that it depends on\n" in text
    assert "\n  orders.days.line_count   bigint\n" in text


@pytest.mark.parametrize("name", ["orders.broken", "orders.broken.x"])
def test_sql_that_cannot_be_read_is_a_finding(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = model("orders.broken", "select form where", ["source.shop.tills.lines"], contract={"x": "bigint"})
    state = MeshState("the working tree", manifest(LINES, broken))
    monkeypatch.setattr("portmesh.commands.lineage.current_state", lambda _: state)
    text = run(capsys, name, expect=1)
    assert text.startswith("The lineage of orders.broken is not known: sqlglot cannot parse its SQL: ")


def test_long_expressions_fit_the_page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cases = " ".join(f"when price > {n} then sold_on" for n in range(30))
    long = model(
        "orders.long", f'select case {cases} end as x from "mesh"."tills"."lines"', ["source.shop.tills.lines"]
    )
    state = MeshState("the working tree", manifest(LINES, long))
    monkeypatch.setattr("portmesh.commands.lineage.current_state", lambda _: state)
    text = run(capsys, "orders.long.x")
    assert len(text.splitlines()) > 10
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("orders.dayz", "There is no model, source or column 'orders.dayz'. Did you mean orders.days?"),
        ("orders.days.valu", "orders.days has no column 'valu'. Did you mean value?"),
        ("nonsense", "There is no model, source or column 'nonsense'."),
    ],
)
def test_a_name_that_does_not_exist(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in run(capsys, name, expect=2)
    assert json.loads(run(capsys, name, "--json", expect=2))["error"] == said


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "orders.days.value", "--json"))
    assert (found["node"], found["label"], found["direction"]) == ("model.orders.days", "orders.days", "up")
    assert found["columns"] == [
        {
            "column": "orders.days.value",
            "type": "decimal(12, 2)",
            "expression": "SUM(orders.stg_lines.value)",
            "unknown": "",
            "inputs": ["orders.stg_lines.value"],
        }
    ]
    assert [each["column"] for each in found["hops"]] == ["orders.stg_lines.value", "tills.lines.price"]
    assert found["influences"] == [
        {"kind": "group", "expression": "orders.stg_lines.sold_on", "inputs": ["orders.stg_lines.sold_on"]}
    ]
    down = json.loads(run(capsys, "orders.stg_lines.value", "--json", "--down"))
    assert down["columns"][0]["computes"] == ["orders.days.value"]
    assert [each["column"] for each in down["hops"]] == ["orders.days.value", "plans.forecast.value"]


def as_openlineage(event: dict[str, Any]) -> DatasetEvent:
    """The event as the classes of openlineage-python, which refuse a key that they do not know."""
    facet = dict(event["dataset"]["facets"]["columnLineage"])
    producer, schema = facet.pop("_producer"), facet.pop("_schemaURL")

    def field(found: dict[str, Any]) -> column_lineage_dataset.InputField:
        kinds = [column_lineage_dataset.Transformation(**each) for each in found["transformations"]]
        return column_lineage_dataset.InputField(**{**found, "transformations": kinds})

    fields = {
        name: column_lineage_dataset.Fields(inputFields=[field(each) for each in found["inputFields"]])
        for name, found in facet.pop("fields").items()
    }
    dataset = [field(each) for each in facet.pop("dataset")]
    assert facet == {}
    columns = column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, dataset=dataset, producer=producer)
    assert columns._get_schema() == schema
    place = {key: event["dataset"][key] for key in ("namespace", "name")}
    read = DatasetEvent(
        eventTime=event["eventTime"], producer=event["producer"],
        dataset=StaticDataset(**place, facets={"columnLineage": columns}),
    )  # fmt: skip
    assert read._get_schema() == event["schemaURL"]
    return read


def test_an_openlineage_event(capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads(run(capsys, "orders.days", "--openlineage", "--namespace", "awsathena://athena.eu-west-1"))
    read = json.loads(Serde.to_json(as_openlineage(event)))["dataset"]
    assert (read["namespace"], read["name"]) == ("awsathena://athena.eu-west-1", "mesh.orders.days")
    facet = read["facets"]["columnLineage"]
    assert [(each["field"], each["transformations"]) for each in facet["fields"]["value"]["inputFields"]] == [
        ("value", [{"type": "DIRECT", "subtype": "AGGREGATION", "description": "SUM(orders.stg_lines.value)"}])
    ]
    assert facet["fields"]["sold_on"]["inputFields"][0]["transformations"][0]["subtype"] == "IDENTITY"
    assert [(each["field"], each["transformations"][0]["subtype"]) for each in facet["dataset"]] == [
        ("sold_on", "GROUP_BY")
    ]
    assert event["dataset"]["facets"]["schema"]["fields"][2] == {"name": "line_count", "type": "bigint"}


def test_openlineage_has_no_name_for_all_columns(capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads(run(capsys, "plans.forecast", "--openlineage"))
    fields = event["dataset"]["facets"]["columnLineage"]["fields"]["value"]["inputFields"]
    assert [each["field"] for each in fields] == ["line_count", "sold_on", "value"]
    assert {each["transformations"][0]["subtype"] for each in fields} == {"TRANSFORMATION"}
