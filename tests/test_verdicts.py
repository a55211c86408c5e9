"""The gate decides as dbt's own test node does, for all limits, and refuses what dbt cannot decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.mesh import Mesh, Outcome
from tests.test_audit import TINY
from tests.test_output_port import EXEMPT

pytestmark = pytest.mark.thorough

Configs = list[tuple[int, dict[str, Any]]]
"""For each check: how many of five rows it finds, before its limits, and its config."""

UP_TO = "{% test up_to(model, n) %}select k, t from {{ model }} where k <= {{ n }}{% endtest %}"
COLUMNS = (
    "- {name: k, data_type: bigint, description: Key.}\n- {name: t, data_type: string, description: Text.}\n"
    "- {name: landed_at, data_type: timestamp, description: When.}"
)

numbers = st.integers(-1, 5)
plain = st.builds("{} {}".format, st.sampled_from(["!=", "<>", "=", "==", ">", ">=", "<", "<="]), numbers)
odd = st.one_of(
    st.builds("between {} and {}".format, numbers, numbers),
    st.builds("in ({}, {})".format, numbers, numbers),
    st.builds("{} {}".format, st.sampled_from(["+", "-", "*", "%"]), st.integers(1, 3)),
    st.builds("{} or count(*) = {}".format, plain, numbers),
    st.builds("> {}.5 and min(k) is not null".format, numbers),
    st.sampled_from(["", "is null", "is not null", "> null", "::varchar", "= 'a'", "> 1, 4", "> 1 -- more"]),
)
conditions = st.one_of(plain, odd)
counted = st.one_of(
    st.just("count(*)"),
    st.sampled_from(
        [
            *("count(distinct k)", "sum(k)", "coalesce(sum(k), 0)", "max(k)", "-count(*)", "count(*) filter (k > 1)"),
            *("count(*)::double", "count(*)::decimal(10, 2)", "count(*)::tinyint", "count(*) * 1.0", "avg(k)"),
            *("count(*) > 1", "bool_or(k > 1)", "max(t)", "'3'", "1 + 1", "k", "count(*), 1", "'nan'::double"),
        ]
    ),
)
configs = st.fixed_dictionaries(
    {},
    optional={
        "severity": st.sampled_from(["warn", "WARN", "error", "Error"]),
        "warn_if": conditions,
        "error_if": conditions,
        "fail_calc": counted,
        "limit": st.sampled_from([0, 1, 2, 9]),
        "where": st.sampled_from(["k > 1", "k in (2, 3) or t = 'a'", "false"]),
    },
)
# The simplest example has no config, so it would test nothing.
checks = st.lists(st.tuples(st.integers(0, 5), configs), min_size=60, max_size=60).filter(
    lambda drawn: sum(len(config) > 1 for _, config in drawn) > 30
)


def write(mesh: Mesh, ports: dict[str, list[int]], drawn: Configs, **root: Any) -> None:
    """Ports with these generated checks. Rules would refuse some of them before they are measured."""
    mesh.set_up("shop", sources=("tiny",))
    mesh.write("domains/shop/macros/up_to.sql", UP_TO)
    project = yaml.safe_load((mesh.folder / "dbt_project.yml").read_text())
    project["on-run-start"] = [hook for hook in project["on-run-start"] if "rules" not in hook]
    mesh.write("dbt_project.yml", yaml.safe_dump(project | root))
    for port, places in ports.items():
        named = [
            {"up_to": {"name": f"check_{i}", "arguments": {"n": drawn[i][0]}, "config": drawn[i][1]}} for i in places
        ]
        mesh.port(f"shop/{port}", TINY, COLUMNS, meta=EXEMPT, extra=f"data_tests: {json.dumps(named)}")
    mesh.land("tiny", "select i as k, 'a' as t, now()::timestamp as landed_at from range(1, 6) r(i)")
    assert mesh.dbt("deps").ok


def by_dbt(mesh: Mesh, drawn: Configs) -> list[tuple[str, int | None]]:
    """The status and failures of each check in plain dbt, on a table."""
    write(mesh, {"one": list(range(len(drawn)))}, drawn, **{"on-run-end": []})
    project = yaml.safe_load((mesh.folder / "dbt_project.yml").read_text())
    project["models"]["shop"]["output_ports"] = {"+materialized": "table"}
    mesh.write("dbt_project.yml", yaml.safe_dump(project | {"on-run-start": []}))
    built = mesh.dbt("build")
    return [(built.statuses[f"check_{i}"], built.failures[f"check_{i}"]) for i in range(len(drawn))]


def assert_the_gate_decides_so(mesh: Mesh, drawn: Configs, expected: list[tuple[str, int | None]]) -> None:
    """One port has the failing checks and is held back; another has those that pass or warn and is published.

    Checks that dbt cannot decide have their own ports.
    """
    of_status: dict[str, list[int]] = {}
    for place, (status, _) in enumerate(expected):
        of_status.setdefault({"warn": "pass"}.get(status, status), []).append(place)
    ports = {"good": of_status.get("pass", []), "bad": of_status.get("fail", [])}
    ports = {port: places for port, places in ports.items() if places}
    ports |= {f"broken_{place}": [place] for place in of_status.get("error", [])}
    write(mesh, ports, drawn)
    built = mesh.dbt("build")
    assert_published(built, "good" if "good" in ports else "")
    rows = mesh.rows("select check_name, status, failures from portmesh.measurements__shop where kind = 'up_to'")
    measured = {name: (status, failures) for name, status, failures in rows}
    for place, (status, failures) in enumerate(expected):
        name, note = f"check_{place}", (drawn[place], status, failures)
        if status == "error":
            assert name not in measured, note
            assert f"its check {name} " in built.output, note
        else:
            assert measured[name][0] == status, (note, measured[name])
            assert status == "pass" or measured[name][1] == failures, (note, measured[name])
        if status in ("pass", "warn"):
            assert (built.statuses[name], built.failures[name]) == (status, failures), note
    assert len(measured) == len(drawn) - len(of_status.get("error", []))


def assert_published(built: Outcome, port: str) -> None:
    published = [name for name, status in built.statuses.items() if not name.startswith("check_") and status != "error"]
    assert published == ([port] if port else []), built.output


def compare(new_mesh: Callable[[Path], Mesh], folder: Path, drawn: Configs) -> None:
    expected = by_dbt(new_mesh(folder / "plain"), drawn)
    assert_the_gate_decides_so(new_mesh(folder / "gated"), drawn, expected)


slow = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@given(checks)
@settings(slow, max_examples=2)
def test_the_gate_gives_dbts_verdict(
    new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory, drawn: Configs
) -> None:
    compare(new_mesh, tmp_path_factory.mktemp("verdicts"), drawn)


@given(checks)
@settings(slow, max_examples=12)
@pytest.mark.nightly
def test_the_gate_gives_dbts_verdict_of_many(
    new_mesh: Callable[[Path], Mesh], tmp_path_factory: pytest.TempPathFactory, drawn: Configs
) -> None:
    compare(new_mesh, tmp_path_factory.mktemp("verdicts"), drawn)
