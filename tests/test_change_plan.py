"""What has to be built and tested for a change: decided from two manifests, without dbt."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from portmesh.commands.plan import _print
from portmesh.planning.plan import Plan, plan
from portmesh.state import MeshState

SOURCE = "source.shop.raw.lines"
SQL = {
    "shop.stg": "select line_id, channel, amount from raw.lines",
    "shop.lines": "select line_id, channel, amount from shop__internal.stg",
    "desk.amounts": "select line_id, amount from shop.lines",
    "desk.channels": "select line_id, channel from shop.lines",
}
PORTS = ("shop.lines", "desk.amounts", "desk.channels")


def model(label: str, sql: str) -> dict[str, Any]:
    domain, name = label.split(".")
    schema = domain if label in PORTS else f"{domain}__internal"
    parents = [f"model.{each}" for each in SQL if f"{each} " in f"{sql} " and each != label]
    parents += ["model.shop.stg"] if "shop__internal.stg" in sql else []
    return {
        "unique_id": f"model.{label}",
        "resource_type": "model",
        "package_name": domain,
        "name": name,
        "alias": name,
        "fqn": [domain, name],
        "relation_name": f'"mesh"."{schema}"."{name}"',
        "database": "mesh",
        "schema": schema,
        "compiled_code": sql,
        "raw_code": sql,
        "language": "sql",
        "adapter_type": "duckdb",
        "config": {"materialized": "output_port" if label in PORTS else "view", "meta": {"version": "1.0.0"}},
        "columns": {},
        "depends_on": {"nodes": parents or [SOURCE], "macros": []},
    }


def check(port: str, column: str, name: str = "not_null", **more: Any) -> dict[str, Any]:
    relation = ".".join(port.split("."))
    return {
        "unique_id": f"test.{port}.{name}_{column}",
        "resource_type": "test",
        "package_name": port.split(".")[0],
        "name": f"{name}_{column}",
        "fqn": [port.split(".")[0], f"{name}_{column}"],
        "compiled_code": f"select {column} from {relation} where {column} is null",
        "test_metadata": {"name": name},
        "column_name": column,
        "attached_node": f"model.{port}",
        "config": {"severity": "ERROR"},
        "depends_on": {"nodes": [f"model.{port}"], "macros": []},
        **more,
    }


def mesh() -> dict[str, Any]:
    nodes = [model(label, sql) for label, sql in SQL.items()]
    nodes += [check("shop.lines", "line_id"), check("desk.channels", "channel"), check("desk.amounts", "amount")]
    source = {
        "unique_id": SOURCE,
        "resource_type": "source",
        "package_name": "shop",
        "source_name": "raw",
        "name": "lines",
        "schema": "raw",
        "database": "mesh",
        "identifier": "lines",
        "relation_name": '"mesh"."raw"."lines"',
        "columns": {name: {"name": name, "data_type": "int"} for name in ("line_id", "channel", "amount")},
        "config": {},
    }
    return {
        "metadata": {"project_name": "portmesh", "adapter_type": "duckdb"},
        "nodes": {node["unique_id"]: node for node in nodes},
        "sources": {SOURCE: source},
        "unit_tests": {},
        "macros": {},
        "groups": {},
        "docs": {},
    }


@pytest.fixture
def after() -> dict[str, Any]:
    return mesh()


def planned(after: dict[str, Any], before: dict[str, Any] | None = None) -> Plan:
    return plan(MeshState("main (c37d537)", before or mesh()), MeshState("the working tree", after))


def ids(found: Plan) -> set[str]:
    return {each.node.id for each in found.nodes}


def reasons(found: Plan, id_: str) -> str:
    return "; ".join(next(each.reasons for each in found.nodes if each.node.id == id_))


def test_nothing_changed(after: dict[str, Any]) -> None:
    found = planned(after)
    assert (found.nodes, found.selectors, found.gone, found.total) == ((), [], (), 7)


def test_a_comment_and_a_description_build_nothing(after: dict[str, Any]) -> None:
    lines = after["nodes"]["model.shop.lines"]
    lines["compiled_code"] = lines["raw_code"] = "-- all\nselect line_id, channel,\n  amount from shop__internal.stg"
    lines["description"] = "Another."
    lines["config"]["meta"] |= {"consumers": [{"name": "desk"}], "version": "1.0.1"}
    after["nodes"]["test.shop.lines.not_null_line_id"]["compiled_code"] += " -- and a comment"
    assert planned(after).nodes == ()


def test_a_port_that_gets_versions_and_keeps_its_table_does_not_reach_its_readers(after: dict[str, Any]) -> None:
    nodes = after["nodes"]
    lines = nodes.pop("model.shop.lines")
    for version, alias in ((1, "lines"), (2, "lines_v2")):
        id_ = f"model.shop.lines.v{version}"
        nodes[id_] = lines | {"unique_id": id_, "version": version, "latest_version": 1, "alias": alias}
        nodes[id_] |= {"relation_name": f'"mesh"."shop"."{alias}"', "fqn": ["shop", "lines", f"v{version}"]}
    for node in nodes.values():
        for read in (one["nodes"] for one in (node["depends_on"],) if "model.shop.lines" in one["nodes"]):
            read[read.index("model.shop.lines")] = "model.shop.lines.v1"
    nodes["test.shop.lines.not_null_line_id"]["attached_node"] = "model.shop.lines.v1"
    found = planned(after)
    assert ids(found) == {"model.shop.lines.v2"}
    assert found.gone == ()

    nodes["model.shop.lines.v1"] |= {"alias": "lines_v1", "relation_name": '"mesh"."shop"."lines_v1"'}
    moved = planned(after)
    assert {"model.shop.lines.v1", "model.desk.amounts"} <= ids(moved)
    assert moved.gone == ("shop.lines",)


def test_the_checks_of_a_port_that_gets_versions_are_not_new(after: dict[str, Any]) -> None:
    nodes = after["nodes"]
    first = nodes.pop("model.shop.lines")
    nodes["model.shop.lines.v1"] = first | {"unique_id": "model.shop.lines.v1", "version": 1, "latest_version": 1}
    test = nodes.pop("test.shop.lines.not_null_line_id")
    renamed = "test.shop.lines.not_null_v1"
    nodes[renamed] = test | {"unique_id": renamed, "name": "not_null_v1", "attached_node": "model.shop.lines.v1"}
    for node in nodes.values():
        read = node["depends_on"]["nodes"]
        node["depends_on"]["nodes"] = ["model.shop.lines.v1" if each == "model.shop.lines" else each for each in read]
    assert ids(planned(after)) == set()
    nodes[renamed]["config"] = {"where": "line_id > 0"}
    assert reasons(planned(after), "model.shop.lines.v1") == "its check not_null of line_id changed"


def test_readers_of_the_changed_column_and_nobody_else(after: dict[str, Any]) -> None:
    sql = "select line_id, channel, 2 * amount as amount from shop__internal.stg"
    after["nodes"]["model.shop.lines"] |= {"compiled_code": sql, "raw_code": sql}
    found = planned(after)
    assert ids(found) == {
        "model.shop.lines",
        "model.desk.amounts",
        "test.shop.lines.not_null_line_id",
        "test.desk.amounts.not_null_amount",
    }
    assert reasons(found, "model.desk.amounts") == "amount: it reads shop.lines.amount, which changes"
    assert "amount: its expression is another" in reasons(found, "model.shop.lines")
    assert reasons(found, "test.shop.lines.not_null_line_id") == ""
    assert found.selectors == [
        "fqn:desk.amounts",
        "fqn:desk.not_null_amount",
        "fqn:shop.lines",
        "fqn:shop.not_null_line_id",
    ]


def test_other_rows_reach_all_readers(after: dict[str, Any]) -> None:
    sql = f"{SQL['shop.lines']} where amount > 0"
    after["nodes"]["model.shop.lines"] |= {"compiled_code": sql, "raw_code": sql}
    found = planned(after)
    assert {"model.desk.amounts", "model.desk.channels"} < ids(found)
    assert reasons(found, "model.desk.channels") == "the rows of shop.lines change"


def test_a_port_whose_check_changed_is_built_and_its_readers_are_not(after: dict[str, Any]) -> None:
    after["nodes"]["test.shop.lines.not_null_line_id"]["config"]["severity"] = "WARN"
    found = planned(after)
    assert ids(found) == {"model.shop.lines", "test.shop.lines.not_null_line_id"}
    assert reasons(found, "model.shop.lines") == "its check not_null of line_id changed"
    new = check("shop.lines", "line_id", "unique")
    found = planned(mesh() | {"nodes": mesh()["nodes"] | {new["unique_id"]: new}})
    assert reasons(found, "model.shop.lines") == "its check unique of line_id is new"


def test_a_check_with_other_arguments_changed(after: dict[str, Any]) -> None:
    old = after["nodes"].pop("test.shop.lines.not_null_line_id")
    after["nodes"]["test.shop.lines.other"] = old | {"unique_id": "test.shop.lines.other"}
    assert reasons(planned(after), "model.shop.lines") == "its check not_null of line_id changed"


def test_a_removed_check_builds_nothing(after: dict[str, Any]) -> None:
    del after["nodes"]["test.shop.lines.not_null_line_id"]
    assert planned(after).nodes == ()


def test_a_test_that_is_no_ports_runs_alone(after: dict[str, Any]) -> None:
    singular = check("shop.lines", "amount") | {"attached_node": None, "test_metadata": None, "name": "amounts"}
    after["nodes"]["test.shop.lines.not_null_amount"] = singular
    found = planned(after)
    assert ids(found) == {"test.shop.lines.not_null_amount"}
    assert reasons(found, "test.shop.lines.not_null_amount") == "the test amounts is new"


def test_a_check_of_another_model_runs_if_it_reads_what_changed(after: dict[str, Any]) -> None:
    before = mesh()
    both = {"depends_on": {"nodes": ["model.desk.channels", "model.shop.lines"], "macros": []}}
    for manifest in (before, after):
        for column in ("amount", "channel"):
            sql = f"select * from (select {column} from shop.lines)"
            relationship = check("desk.channels", column, "relationships", **both) | {"compiled_code": sql}
            manifest["nodes"][relationship["unique_id"]] = relationship
    named = {each: before["nodes"][each] for each in before["nodes"] if "relationships" in each}
    for manifest in (before, after):
        for each in named.values():
            manifest["nodes"][each["unique_id"]]["compiled_code"] = f"select {each['column_name']} from shop.lines"
    sql = "select line_id, channel, 2 * amount as amount from shop__internal.stg"
    after["nodes"]["model.shop.lines"] |= {"compiled_code": sql, "raw_code": sql}
    found = planned(after, before)
    assert "test.desk.channels.relationships_amount" in ids(found)
    assert "test.desk.channels.relationships_channel" not in ids(found)
    assert "model.desk.channels" not in ids(found)
    assert reasons(found, "test.desk.channels.relationships_amount") == "it reads shop.lines: amount changes"


def test_what_is_built_otherwise_is_built_but_not_its_readers(after: dict[str, Any]) -> None:
    after["nodes"]["model.shop.stg"]["config"]["materialized"] = "table"
    found = planned(after)
    assert ids(found) == {"model.shop.stg"}
    assert reasons(found, "model.shop.stg") == "its materialized is table, was view"


def test_a_contract_that_changed_is_built(after: dict[str, Any]) -> None:
    before = mesh()
    for manifest in (before, after):
        manifest["nodes"]["model.shop.lines"]["config"]["contract"] = {"enforced": True}
    freshness = {"column": "landed_at", "warn_after": {"count": 1, "period": "day"}}
    after["nodes"]["model.shop.lines"]["config"]["meta"]["freshness"] = freshness
    after["nodes"]["model.shop.lines"]["columns"] = {"line_id": {"name": "line_id", "data_type": "bigint"}}
    said = reasons(planned(after, before), "model.shop.lines")
    assert "its column line_id's data_type is bigint, was not set" in said
    assert "its freshness is {'column': 'landed_at'" in said


def test_new_and_removed_models(after: dict[str, Any]) -> None:
    del after["nodes"]["model.desk.channels"], after["nodes"]["test.desk.channels.not_null_channel"]
    after["nodes"]["model.desk.new"] = model("desk.new", "select line_id from shop.lines") | {
        "unique_id": "model.desk.new"
    }
    found = planned(after)
    assert (ids(found), found.gone) == ({"model.desk.new"}, ("desk.channels",))
    assert reasons(found, "model.desk.new") == "it is new"


def test_unit_tests(after: dict[str, Any]) -> None:
    before = mesh()
    unit = {
        "unique_id": "unit_test.shop.lines.doubled",
        "resource_type": "unit_test",
        "package_name": "shop",
        "name": "doubled",
        "model": "lines",
        "fqn": ["shop", "lines", "doubled"],
        "given": [],
        "expect": {"rows": []},
        "config": {},
        "depends_on": {"nodes": ["model.shop.lines"], "macros": []},
    }
    for manifest in (before, after):
        manifest["unit_tests"] = {unit["unique_id"]: deepcopy(unit)}
    assert planned(after, before).nodes == ()
    after["unit_tests"][str(unit["unique_id"])]["expect"] = {"rows": [{"line_id": 1}]}
    assert ids(planned(after, before)) == {"unit_test.shop.lines.doubled"}
    sql = f"{SQL['shop.lines']} where amount > 0"
    before["nodes"]["model.shop.lines"] |= {"compiled_code": sql, "raw_code": sql}
    after["unit_tests"] = before["unit_tests"]
    assert "unit_test.shop.lines.doubled" in ids(planned(after, before))


def test_what_does_not_compile_and_what_depends_on_the_target_is_said(after: dict[str, Any]) -> None:
    after["groups"]["group.shop.shop"] = {
        "name": "shop",
        "package_name": "shop",
        "original_file_path": "models/shop.yml",
        "owner": {},
        "config": {"meta": {"engine": "emr"}},
    }
    jinja = "{% if target.type == 'duckdb' %} select 1 {% endif %}"
    after["nodes"]["model.shop.stg"]["raw_code"] = jinja
    after["nodes"]["model.desk.amounts"]["raw_code"] = jinja
    after["nodes"]["model.shop.lines"]["raw_code"] = "select 'target' as target"
    state = MeshState("the working tree", after, {"model.desk.amounts": "only on Athena"})
    found = plan(MeshState("main", deepcopy(after)), state)
    assert (found.by_target, found.not_compiled) == (("shop.stg",), {"desk.amounts": "only on Athena"})


def test_long_names_of_checks_do_not_push_the_models_aside(
    after: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "select line_id, channel, 2 * amount as amount from shop__internal.stg"
    after["nodes"]["model.shop.lines"] |= {"compiled_code": sql, "raw_code": sql}
    long = check("desk.channels", "channel", "a_check_of_a_long_name_that_reads_another_port")
    long["depends_on"] = {"nodes": ["model.desk.channels", "model.shop.lines"], "macros": []}
    long["compiled_code"] = "select amount from shop.lines"
    before = mesh()
    for one in (before, after):
        one["nodes"][long["unique_id"]] = deepcopy(long)
    _print(planned(after, before), "main", None)
    models, checks = capsys.readouterr().out.split("\n\n")[1:3]
    assert "\n  shop.lines     amount: its expression is another" in models
    assert checks.startswith("  desk.a_check_of_a_long_name_that_reads_another_port_channel   it reads shop.lines")
    assert checks.splitlines()[-1].endswith("run because their model is built")
