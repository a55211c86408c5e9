"""`portmesh build`: the order of steps, what a failure holds back, and a build on two engines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from portmesh.building import NOT_STARTED, Graph, Outcome, Ran, Step, build_steps, plan_steps
from portmesh.commands.build import _first_line
from portmesh.dbt_steps import Chosen
from portmesh.mesh import Node
from portmesh.runs.outcome import Report
from tests.mesh import REPOSITORY, Mesh
from tests.rig_client import Rig
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good
from tests.test_status import run

ENGINES = {"orders": "emr", "customers": "athena", "desk": "emr"}


def graph(edges: dict[str, list[str]], engines: dict[str, str] | None = None) -> Graph:
    """A graph of `domain.name` nodes. A name that contains `test` is a test."""
    nodes = {}
    for label, parents in edges.items():
        domain = label.split(".")[0]
        kind = "unit_test" if "unit_test" in label else "test" if "test" in label else "model"
        nodes[label] = Node(label, kind, domain, label, label, kind == "model", tuple(parents))
    return Graph(nodes, ENGINES if engines is None else engines)


BOTH_WAYS = {
    "orders.lines": ["source.till"],
    "customers.people": ["orders.lines"],
    "orders.baskets": ["customers.people"],
    "desk.report": ["orders.lines"],
    "customers.test_people": ["customers.people", "orders.lines"],
}


def test_domains_that_read_each_other_are_built_in_the_order_of_their_models() -> None:
    assert plan_steps(graph(BOTH_WAYS), list(BOTH_WAYS), "emr") == [
        Step("emr", ("orders.lines", "desk.report")),
        Step("athena", ("customers.people", "customers.test_people")),
        Step("emr", ("orders.baskets",)),
    ]


def test_one_engine_is_one_step() -> None:
    (step,) = plan_steps(graph(BOTH_WAYS, {}), list(BOTH_WAYS), "local")
    assert (step.target, set(step.nodes)) == ("local", set(BOTH_WAYS))


def test_it_starts_with_the_engine_that_makes_fewer_steps() -> None:
    edges = {"customers.a": [], "orders.b": ["customers.a"], "orders.c": []}
    assert [step.target for step in plan_steps(graph(edges), list(edges), "emr")] == ["athena", "emr"]


def test_the_order_holds_through_what_is_not_chosen() -> None:
    edges = {"orders.a": [], "customers.b": ["orders.a"], "orders.c": ["customers.b"], "customers.d": ["orders.c"]}
    steps = plan_steps(graph(edges), ["orders.a", "customers.d"], "emr")
    assert steps == [Step("emr", ("orders.a",)), Step("athena", ("customers.d",))]


def ran(step: Step, failed: Sequence[str] = (), error: str = "") -> Ran:
    statuses = {} if error else {node: "error" if node in failed else "success" for node in step.nodes}
    return Ran(statuses, dict.fromkeys(failed, "refused"), 2 if error else 1 if failed else 0, error)


def test_a_failure_holds_back_what_reads_it_and_nothing_else() -> None:
    edges = BOTH_WAYS | {"customers.other": []}
    mesh = graph(edges)
    asked: list[Step] = []

    def run_step(step: Step) -> Ran:
        asked.append(step)
        return ran(step, failed=["orders.lines"])

    steps = [
        Step("emr", ("orders.lines",)),
        Step("athena", ("customers.people", "customers.test_people", "customers.other")),
        Step("emr", ("orders.baskets",)),
    ]
    outcome = build_steps(mesh, steps, run_step)
    assert asked == [Step("emr", ("orders.lines",)), Step("athena", ("customers.other",))]
    assert outcome.waits_for == dict.fromkeys(
        ["customers.people", "customers.test_people", "orders.baskets"], ("orders.lines",)
    )
    assert outcome.statuses == {"orders.lines": "error", "customers.other": "success"}
    assert outcome.exit_code == 1


def test_a_failed_test_holds_back_what_reads_all_that_it_tests() -> None:
    edges = {
        "orders.a": [],
        "orders.b": [],
        "orders.test_both": ["orders.a", "orders.b"],
        "customers.of_both": ["orders.a", "orders.b"],
        "customers.of_one": ["orders.a"],
    }
    steps = [
        Step("emr", ("orders.a", "orders.b", "orders.test_both")),
        Step("athena", ("customers.of_both", "customers.of_one")),
    ]
    outcome = build_steps(graph(edges), steps, lambda step: ran(step, failed=["orders.test_both"]))
    assert outcome.waits_for == {"customers.of_both": ("orders.test_both",)}
    assert outcome.statuses["customers.of_one"] == "success"


def states(mesh: Graph, outcome: Outcome, **known: Any) -> dict[str, str]:
    """The states of all ports after a run of the whole mesh."""
    chosen = Chosen(mesh, list(mesh.nodes), "prod", {})
    return Report("emr", [], "run", chosen=chosen, outcome=outcome, **known).states()


def test_a_failed_unit_test_holds_back_its_model() -> None:
    mesh = graph({"orders.a": [], "orders.unit_test_a": ["orders.a"], "customers.b": ["orders.a"]})
    steps = [Step("emr", ("orders.a", "orders.unit_test_a")), Step("athena", ("customers.b",))]

    outcome = build_steps(mesh, steps, lambda _: Ran({"orders.unit_test_a": "fail", "orders.a": "skipped"}, {}, 1))
    assert outcome.waits_for == dict.fromkeys(["orders.a", "customers.b"], ("orders.unit_test_a",))
    assert states(mesh, outcome) == {"customers.b": "waiting", "orders.a": "waiting"}


def test_what_dbt_skipped_is_not_published() -> None:
    mesh, steps = graph({"orders.a": []}), [Step("emr", ("orders.a",))]
    outcome = build_steps(mesh, steps, lambda _: Ran({"orders.a": "skipped"}, {}, 1))
    assert states(mesh, outcome) == {"orders.a": "waiting"}


def test_what_dbt_did_not_publish_is_not_published() -> None:
    edges: dict[str, list[str]] = {f"orders.{name}": [] for name in ("new", "old", "done", "away", "not_reached")}
    outcome = Outcome(
        statuses={"orders.new": "success", "orders.old": "success", "orders.away": NOT_STARTED},
        verdicts={"orders.new": "published", "orders.old": "nothing new in", "orders.done": "passed over"},
    )
    assert states(graph(edges), outcome, done=frozenset(["orders.done"])) == {
        "orders.away": "not_built",
        "orders.done": "unchanged",
        "orders.new": "published",
        "orders.not_reached": "not_built",
        "orders.old": "unchanged",
    }


def test_a_message_has_no_colours() -> None:
    assert _first_line("Unit Test Error in orders\n\x1b[32mactual\x1b[0m differs") == "actual differs"


def test_an_engine_that_is_down_is_not_asked_again_and_the_others_go_on() -> None:
    edges = {"orders.a": [], "customers.b": [], "orders.c": ["customers.b"], "customers.d": ["orders.a"]}
    steps = [
        *(Step("emr", ("orders.a",)), Step("athena", ("customers.b", "customers.d"))),
        Step("emr", ("orders.c",)),
    ]
    asked: list[str] = []

    def run_step(step: Step) -> Ran:
        asked.append(step.target)
        return ran(step, error="Could not connect" if step.target == "emr" else "")

    outcome = build_steps(graph(edges), steps, run_step)
    assert asked == ["emr", "athena"]
    assert outcome.statuses == {"orders.a": NOT_STARTED, "customers.b": "success", "orders.c": NOT_STARTED}
    assert outcome.waits_for == {"customers.d": ("orders.a",)}
    assert (outcome.exit_code, outcome.errors) == (2, {"emr": "Could not connect"})


# On a mesh

OF_ITS_OWN = """
select
    cast(1 as bigint) as line_id,
    cast('store' as {{ dbt.type_string() }}) as channel,
    cast(1 as decimal(10, 2)) as amount,
    cast('2026-01-01' as {{ dbt.type_timestamp() }}) as landed_at
"""


@pytest.fixture
def two_domains(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop.lines; desk.after, which reads it; shop.again, which reads that; desk.other, which reads nothing."""
    mesh.set_up("shop", "desk")
    mesh.port("shop/lines", LINES, COLUMNS, meta=f"{EXEMPT}\nconsumers: [{{name: desk, purpose: Reports.}}]")
    after = "select * from {{ ref('shop', 'lines') }}"
    mesh.port("desk/after", after, COLUMNS, meta=f"{EXEMPT}\nconsumers: [{{name: shop, purpose: Reports.}}]")
    mesh.port("shop/again", "select * from {{ ref('desk', 'after') }}", COLUMNS, meta=EXEMPT)
    mesh.port("desk/other", OF_ITS_OWN, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def built(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code, text = run(capsys, "build", "--json", *arguments)
    return code, json.loads(text[text.index("{") :])


PUBLISHED = dict.fromkeys(["desk.after", "desk.other", "shop.again", "shop.lines"], "published")


@pytest.mark.thorough
def test_on_the_target_local_everything_is_local(two_domains: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    code, facts = built(capsys)
    assert (code, facts["ports"], [step["target"] for step in facts["steps"]]) == (0, PUBLISHED, ["local"])
    two_domains.land("lines", good() + DUPLICATE)
    code, text = run(capsys, "build")
    assert code == 1
    assert "Built on 1 engine, in 1 step, " in text
    assert "Ports: 1 published, 1 refused, 2 waiting." in text
    assert "  desk.after   waits for shop.lines" in text
    assert "  shop.lines   shop.lines was not published. Consumers keep the version of " in text


@pytest.mark.usefixtures("two_domains")
def test_what_is_selected_is_selected_as_dbt_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert built(capsys, "--select", "other")[1]["ports"] == {"desk.other": "published"}
    code, facts = built(capsys, "--select", "lines+", "--exclude", "again")
    assert (code, facts["ports"]) == (0, {"desk.after": "published", "shop.lines": "published"})
    code, text = run(capsys, "build", "--select", "nothing_of_that_name")
    assert (code, "nothing_of_that_name" in text) == (2, True), text


def test_findings_of_the_rules_stop_it_once(two_domains: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    two_domains.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    code, text = run(capsys, "build")
    assert code == 1
    assert text.startswith("1 finding; nothing was built.\n\nPM104  "), text


@pytest.mark.engines("emr")
def test_each_domain_is_built_on_its_own_engine(
    two_domains: Mesh, rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.command("up", "emr", "athena")
    two_domains.write("profiles.yml", (REPOSITORY / "profiles" / "profiles.yml").read_text())
    product = two_domains.folder / "domains/desk/models/desk.yml"
    product.write_text(product.read_text().replace("engine: emr", "engine: athena"))
    monkeypatch.setenv("PORTMESH_TARGET", "emr")
    monkeypatch.setenv("PORTMESH_ATHENA_POLL", "0.05")
    code, facts = built(capsys)
    assert (code, facts["ports"]) == (0, PUBLISHED), facts
    assert [step["target"] for step in facts["steps"]] == ["emr", "athena", "emr"]
    assert two_domains.value("select count(*) from shop.again") == 100
    steps = ("emr/run_results_1", "athena/run_results_2", "emr/run_results_3")
    results = [two_domains.folder / f"target/{step}.json" for step in steps]
    ended = [{one["unique_id"] for one in json.loads(path.read_text())["results"]} for path in results]
    assert all(found >= set(step["nodes"]) for found, step in zip(ended, facts["steps"], strict=True))

    # Each engine reads from production what the other one built there.
    defer = ("--defer-to", "production")
    with monkeypatch.context() as ana:
        ana.setenv("PORTMESH_ENVIRONMENT", "dev_ana")
        code, facts = built(capsys, "--select", "after", *defer)
        assert (code, facts["ports"]) == (0, {"desk.after": "published"}), facts
        assert two_domains.value("select count(*) from dev_ana__desk.after") == 100
        code, facts = built(capsys, "--select", "again", *defer, "--favor-state")
        assert (code, facts["ports"]) == (0, {"shop.again": "published"}), facts
        code, text = run(capsys, "plan", "--selector")
        assert text == "fqn:nothing_changed\n"

    two_domains.land("lines", good() + DUPLICATE)
    code, facts = built(capsys)
    assert code == 1
    assert not results[2].exists()
    assert facts["ports"] == {
        "shop.lines": "refused",
        "desk.after": "waiting",
        "shop.again": "waiting",
        "desk.other": "published",
    }
    assert two_domains.value("select count(*) from portmesh.publications__desk where port = 'other'") == 2
    assert two_domains.value("select count(*) from shop.again") == 100
