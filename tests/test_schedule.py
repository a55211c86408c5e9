"""When each product is built: what a group may say, and the file from which Airflow makes its DAGs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from portmesh.dbt import parse_manifest
from portmesh.errors import FindingsError
from portmesh.keys import PortMeta, ProductMeta
from portmesh.mesh import Mesh, Node, Port, Product, read_mesh
from portmesh.schedule.cron import cron_problem
from portmesh.schedule.schedule import SCHEDULE, Schedule, hash_of, read_schedule
from tests import mesh as on_disk
from tests.mesh import REPOSITORY
from tests.portmesh_call import Portmesh


def mesh_of(**products: dict[str, object]) -> Mesh:
    """A mesh with these products, each with one port of its name. The key `reads` has the products that it reads."""
    reads = {name: [f"model.{other}" for other in about.pop("reads", ())] for name, about in products.items()}  # type: ignore[attr-defined]
    ports = {
        f"model.{name}": Port(
            *(f"model.{name}", name, f"{name}s", f"{name}.{name}s", "", "", f"One row per {name}. And more."),
            *(False, False, PortMeta()),
        )
        for name in products
    }
    nodes = {
        id_: Node(id_, "model", port.product, f"{port.product}.output_ports.{port.name}", port.label, True, ())
        for id_, port in ports.items()
    }
    made = [
        Product(
            *(name, f"The product {name}.", f"Team {name}", f"{name}@example.com"),
            *(ProductMeta.model_validate(about), (ports[f"model.{name}"],), tuple(reads[name]), ()),
        )
        for name, about in products.items()
    ]
    return Mesh("test", tuple(made), ports, {}, nodes)


def refusal(**products: dict[str, object]) -> str:
    with pytest.raises(FindingsError) as refused:
        read_schedule(mesh_of(**products))
    return str(refused.value)


def starts(schedule: Schedule) -> dict[str, str]:
    return {name: product.starts for name, product in schedule.products.items()}


# What a group says


def test_a_product_starts_as_its_group_says() -> None:
    schedule = read_schedule(
        mesh_of(
            tills={},
            orders={"schedule": "0 6 * * *"},
            both={"schedule": "0 9 * * *", "starts_on": "inputs", "reads": ["orders"]},
            reader={"reads": ["orders"]},
            by_the_clock={"schedule": "0 7 * * *", "reads": ["orders"]},
        )
    )
    assert starts(schedule) == {
        "tills": "by hand only",
        "orders": "at 0 6 * * *",
        "both": "on a new input, at the latest at 0 9 * * *",
        "reader": "on a new input",
        "by_the_clock": "at 0 7 * * *",
    }
    assert schedule.products["reader"].inputs == ["orders.orderss"]
    assert {name: product.read_by for name, product in schedule.products.items() if product.read_by} == {"orders": 3}


def test_what_many_products_wait_for_is_built_first() -> None:
    schedule = read_schedule(
        mesh_of(
            a={"reads": ["b"], "schedule": "0 6 * * *"},
            b={"reads": ["a"]},
            c={"reads": ["b"]},
            d={"reads": ["c", "a"]},
        )
    )
    assert {name: product.read_by for name, product in schedule.products.items()} == {"a": 3, "b": 3, "c": 1, "d": 0}


def test_a_groups_other_keys_have_defaults() -> None:
    schedule = read_schedule(
        mesh_of(plain={}, own={"timeout": "30min", "late_after": "10min", "retries": 0, "upkeep": "0 3 * * 0"})
    )
    plain, own = schedule.products.values()
    assert (plain.timeout_seconds, plain.late_after_seconds, plain.retries, plain.upkeep) == (86_400, None, 2, None)
    assert (own.timeout_seconds, own.late_after_seconds, own.retries, own.upkeep) == (1_800, 600, 0, "0 3 * * 0")
    port = plain.ports["plain.plains"]
    assert (port.fqn, port.description) == ("plain.output_ports.plains", "One row per plain.")


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({"schedule": "0 25 * * *"}, "schedule: '0 25 * * *' is not cron, because the hour 25 is not between 0 and 23"),
        ({"upkeep": "daily"}, "upkeep: 'daily' is not cron, because it has 1 field instead of 5: minute, hour,"),
        ({"timeout": "0h"}, "timeout: '0h' is not between 1min and 365d"),
        ({"late_after": "99999999999999d"}, "late_after: is not a time span."),
        ({"starts_on": "input"}, "starts_on: 'input' is not known (allowed: inputs). Did you mean inputs?"),
        ({"starts_on": "inputs"}, "starts_on: inputs, but no model of it reads a port of another product."),
        (
            {"late_after": "1 hour"},
            "late_after: is not a time span. '1 hour' (allowed: a whole number with min, h or d",
        ),
        (
            {"timeout": "two hours"},
            "timeout: is not a time span. 'two hours' (allowed: a whole number with min, h or d",
        ),
    ],
)
def test_what_cannot_be_read_is_said(about: dict[str, object], sentence: str) -> None:
    text = refusal(shop=about)
    assert text.startswith("The mesh has no schedule: 1 finding.")
    assert f"shop   {sentence}" in text


def test_upkeep_of_no_port_is_not_that_of_all() -> None:
    mesh = mesh_of(shop={"upkeep": "0 3 * * 0"})
    bare = replace(mesh, products=(replace(mesh.products[0], ports=()),))
    with pytest.raises(FindingsError, match="upkeep: it has no port to keep up"):
        read_schedule(bare)


def test_products_that_would_start_each_other_for_ever_are_refused() -> None:
    text = refusal(a={"reads": ["c"]}, b={"reads": ["a"]}, c={"reads": ["b"]}, d={"reads": ["a"]})
    assert "would start each other for ever" in text
    assert "  circle   a → b → c → a\n" in text


def test_a_circle_with_a_clock_in_it_ends() -> None:
    schedule = read_schedule(mesh_of(a={"reads": ["b"], "schedule": "0 6 * * *"}, b={"reads": ["a"]}))
    assert starts(schedule) == {"a": "at 0 6 * * *", "b": "on a new input"}


# Cron


@pytest.mark.parametrize(
    "text",
    [
        "0 6 * * *",
        "*/15 * * * *",
        "0 6-18/2 * * mon-fri",
        "5,35 0 1,15 JAN 7",
        "0 0 31 12 0",
        "0 0 29 feb *",
        "0 0 31 2 mon",
        "0 0 29-31 2 *",
        "0 0 31 2,4,5 *",
        "0 0 */30 4 *",
    ],
)
def test_cron_is_read(text: str) -> None:
    assert cron_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("60 * * * *", "the minute 60 is not between 0 and 59"),
        ("* * 0 * *", "the day of the month 0 is not between 1 and 31"),
        ("* * * foo *", "the month foo is not between 1 and 12"),
        ("* * * * fri-mon", "the day of the week fri-mon ends before it starts"),
        ("*/0 * * * *", "the minute */0 has the step 0"),
        ("* a-b-c * * *", "the hour 'a-b-c' is not a number, a range such as 0-23, or *"),
        ("0 0 31 2,4-4,jun *", "no month 2,4-4,jun has a day 31"),
        ("0 0 30/1 feb *", "no month feb has a day 30/1"),
        ("* * * *", "it has 4 fields instead of 5"),
        ("* * * * * *", "it has 6 fields instead of 5"),
        ("@daily", "it has 1 field instead of 5"),
    ],
)
def test_what_is_no_cron_is_said(text: str, problem: str) -> None:
    assert cron_problem(text).startswith(problem)


# The file


def test_the_file_changes_with_the_mesh(tmp_path: Path) -> None:
    schedule = read_schedule(mesh_of(orders={"schedule": "0 6 * * *"}))
    with pytest.raises(FindingsError, match=r"not up to date: 1 finding\.(.|\n)*missing"):
        SCHEDULE.assert_up_to_date(tmp_path, schedule.render())
    SCHEDULE.update(tmp_path, schedule.render())
    SCHEDULE.assert_up_to_date(tmp_path, schedule.render())
    later = read_schedule(mesh_of(orders={"schedule": "0 7 * * *"}))
    assert not SCHEDULE.is_up_to_date(tmp_path, later.render())
    with pytest.raises(FindingsError, match="older than the mesh"):
        SCHEDULE.assert_up_to_date(tmp_path, later.render())
    assert hash_of(schedule.products["orders"]) != hash_of(later.products["orders"])


def test_the_file_says_everything_about_a_product() -> None:
    text = read_schedule(mesh_of(orders={"schedule": "0 6 * * *", "engine": "emr", "channel": "#orders"})).render()
    found = json.loads(text)
    assert (found["version"], found["mesh"]) == (1, "test")
    orders = found["products"]["orders"]
    assert len(orders.pop("hash")) == 12
    assert orders == {
        "description": "The product orders.",
        "purpose": "",
        "owner": "Team orders",
        "email": "orders@example.com",
        "channel": "#orders",
        "kind": "",
        "stage": "",
        "engine": "emr",
        "schedule": "0 6 * * *",
        "on_inputs": False,
        "upkeep": None,
        "timeout_seconds": 86_400,
        "late_after_seconds": None,
        "retries": 2,
        "inputs": [],
        "read_by": 0,
        "ports": {"orders.orderss": {"fqn": "orders.output_ports.orderss", "description": "One row per orders."}},
    }


# In a mesh


@pytest.mark.thorough
def test_rules_and_command_read_the_rhythm(good: on_disk.Mesh, portmesh: Portmesh) -> None:
    shutil.rmtree(good.folder / "orchestration", ignore_errors=True)
    path = good.folder / "domains/desk/models/desk.yml"
    group = yaml.safe_load(path.read_text())["groups"][0]
    group["config"]["meta"] |= {"starts_on": "putins", "schedule": "0 9 * * *"}
    path.write_text(yaml.safe_dump({"groups": [group]}))
    refused = good.dbt("run-operation", "check_rules")
    assert "has the starts_on putins (allowed: inputs)" in " ".join(refused.output.split())
    path.write_text(path.read_text().replace("putins", "inputs"))
    assert good.dbt("run-operation", "check_rules").ok
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(good.folder)
        manifest = parse_manifest()
        assert starts(read_schedule(read_mesh(manifest)))["desk"].startswith("on a new input, at the")
        assert portmesh("schedule", "--check").exit_code == 1
        written = portmesh("schedule")
        assert written.exit_code == 0
        assert f"Wrote {SCHEDULE.path}: 2 products." in written.out
        assert "by hand only" in written.out
        assert portmesh("schedule", "--check").exit_code == 0


def test_the_repositorys_dags_are_one_small_file_for_any_airflow() -> None:
    """It imports the standard library and Airflow only, and no Airflow is needed to write the schedule."""
    text = (REPOSITORY / "orchestration/dags/portmesh_dags.py").read_text()
    assert "import portmesh" not in text
    assert "import dbt" not in text
