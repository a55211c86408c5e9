"""What `portmesh build` records about production, and builds that read from production."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from portmesh import production
from portmesh.cli import main
from portmesh.errors import MissingArtifactError, UsageError
from portmesh.production import Files, FolderFiles, Run, keep, ran_nodes
from portmesh.production_s3 import S3Files
from tests.cloud import moto
from tests.mesh import Mesh
from tests.test_build import OF_ITS_OWN, built
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good
from tests.test_status import run


def manifest(code: str, *names: str) -> dict[str, Any]:
    """Models `domain.name` with this compiled SQL, each with a test."""
    nodes = {}
    for name in names:
        domain = name.split(".")[0]
        model, test = f"model.{name}", f"test.{name}"
        nodes[model] = {"resource_type": "model", "package_name": domain, "compiled_code": code}
        nodes[test] = {"resource_type": "test", "package_name": domain, "compiled_code": code, "attached_node": model}
    return {"metadata": {"project_name": "mesh"}, "nodes": nodes, "unit_tests": {}, "sources": {}}


def of(files: Files, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The compiled SQL of each node in production's state."""
    monkeypatch.setattr(production, "open_files", lambda _: files)
    found, _ = production.read("local")
    return {id_: node["compiled_code"] for id_, node in found["nodes"].items()}


def ran(*nodes: str, status: str = "success") -> Run:
    return Run("local", dict.fromkeys(nodes, status), "c37d537", datetime(2026, 11, 26, 6, tzinfo=UTC))


@pytest.fixture(params=["folder", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        yield FolderFiles(tmp_path / "state")
        return
    with moto(AWS_REGION="eu-west-1"):
        bucket = uuid4().hex
        place = {"LocationConstraint": "eu-west-1"}
        boto3.client("s3", region_name="eu-west-1").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)  # type: ignore[arg-type]
        yield S3Files(f"s3://{bucket}/portmesh/state")


def test_a_node_is_as_production_last_ran_it(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = ["model.shop.a", "model.shop.b", "model.desk.c"]
    first = manifest("1", "shop.a", "shop.b", "desk.c")
    assert keep(files, first, ran(*everything)) == ["desk", "shop"]
    assert of(files, monkeypatch) == dict.fromkeys(everything, "1")
    # A run of a part of the mesh, in which another model is new and was not run.
    assert keep(files, manifest("2", "shop.a", "shop.b", "shop.d", "desk.c"), ran("model.shop.b")) == ["shop"]
    assert of(files, monkeypatch) == {"model.shop.a": "1", "model.shop.b": "2", "model.desk.c": "1"}
    # Nothing ran with success.
    assert keep(files, manifest("3", "shop.a"), ran("model.shop.a", status="error")) == []
    assert of(files, monkeypatch)["model.shop.a"] == "1"
    # A model, then a domain, that is no longer in the mesh.
    keep(files, manifest("4", "shop.b", "desk.c"), ran("model.shop.b"))
    assert of(files, monkeypatch) == {"model.shop.b": "4", "model.desk.c": "1"}
    keep(files, manifest("5", "shop.b"), ran("model.shop.b"))
    assert of(files, monkeypatch) == {"model.shop.b": "5"}
    found, name = production.read("local")
    assert name == "production (run of 2026-11-26 06:00 UTC)"
    facts = {"ended_at": "2026-11-26T06:00:00+00:00", "target": "local", "commit": "c37d537", "status": "success"}
    assert found["portmesh"]["nodes"] == {"model.shop.b": facts}


def test_a_check_counts_with_the_port_that_it_decided_about() -> None:
    mesh = manifest("1", "shop.a")
    port, check = "model.shop.a", "test.shop.a"
    assert ran_nodes(mesh, {port: "success", check: "warn"}) == {port, check}
    assert ran_nodes(mesh, {port: "error", check: "fail"}) == set()
    assert ran_nodes(mesh, {port: "skipped", check: "pass"}) == set()
    # The check alone, on what is in production.
    assert ran_nodes(mesh, {check: "fail"}) == {check}
    assert ran_nodes(mesh, {check: "error", "model.shop.gone": "success"}) == set()
    # The port's audit runs its checks, also if dbt's tests were not selected.
    assert ran_nodes(mesh, {port: "success"}) == {port}
    mesh["nodes"][port]["config"] = {"materialized": "output_port"}
    assert ran_nodes(mesh, {port: "success"}) == {port, check}


def test_runs_at_the_same_time_all_end_up_in_it(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"shop.m{number}" for number in range(8)]
    mesh = manifest("1", *names)
    threads = [threading.Thread(target=keep, args=(files, mesh, ran(f"model.{name}"))) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(of(files, monkeypatch)) == {f"model.{name}" for name in names}


def test_a_damaged_file_is_named_and_the_next_run_writes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FolderFiles(tmp_path)
    keep(files, manifest("1", "shop.a"), ran("model.shop.a"))
    (tmp_path / "shop.json").write_text("{")
    with pytest.raises(UsageError, match="damaged") as found:
        of(files, monkeypatch)
    assert str(tmp_path / "shop.json") in str(found.value)
    keep(files, manifest("2", "shop.a"), ran("model.shop.a"))
    assert of(files, monkeypatch) == {"model.shop.a": "2"}


def test_production_that_never_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingArtifactError, match="has no state yet"):
        of(FolderFiles(tmp_path), monkeypatch)


# On a mesh


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """desk.after reads shop.lines; desk.other reads nothing. `portmesh build` built it in production, in one lake."""
    mesh = Mesh(tmp_path_factory.mktemp("production"))
    mesh.set_up("shop", "desk", environment="{{ env_var('PORTMESH_ENVIRONMENT', 'prod') | as_text }}")
    mesh.port("shop/lines", LINES, COLUMNS, meta=f"{EXEMPT}\nconsumers: [{{name: desk, purpose: Reports.}}]")
    mesh.port("desk/after", AFTER, COLUMNS, meta=EXEMPT)
    mesh.port("desk/other", OF_ITS_OWN, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(mesh.folder)
        patch.setenv("PORTMESH_LAKE", str(mesh.folder / "lake"))
        with pytest.raises(SystemExit) as ended:
            main(["build"])
    assert ended.value.code == 0
    return mesh


AFTER = "select * from {{ ref('shop', 'lines') }}"


@pytest.fixture
def two(built_once: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    monkeypatch.chdir(built_once.folder)
    monkeypatch.setenv("PORTMESH_LAKE", str(built_once.folder / "lake"))
    return built_once


def kept(mesh: Mesh) -> dict[str, Any]:
    return dict(json.loads((mesh.folder / "lake/.portmesh/state/desk.json").read_text()))


@pytest.mark.nightly
def test_a_build_in_an_environment_reads_the_rest_from_production(
    two: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = kept(two)
    assert {"model.desk.after", "model.desk.other"} < set(state["nodes"])
    assert state["portmesh"]["nodes"]["model.desk.after"]["status"] == "success"
    defer = ("build", "--select", "after", "--defer-to", "production")
    code, text = run(capsys, *defer)
    assert (code, "production reads only its own tables" in text) == (2, True), text
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "dev_ana")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("PORTMESH_LAKE", str(two.folder / "empty"))
        code, text = run(capsys, *defer)
        assert (code, "Production has no state yet" in text) == (3, True), text
        assert not (two.folder / "empty").exists()
    code, facts = built(capsys, *defer[1:])
    assert (code, facts["ports"]) == (0, {"desk.after": "published"}), facts
    assert two.value("select count(*) from dev_ana__desk.after") == 100
    assert not two.has("dev_ana__shop.lines")
    # The environment has a table of its own, of an earlier build.
    two.execute("delete from raw.lines where line_id > 50")
    assert built(capsys, "--select", "lines")[0] == 0
    two.land("lines", good())
    assert two.value("select count(*) from dev_ana__shop.lines") == 51
    assert built(capsys, *defer[1:], "--favor-state")[0] == 0
    assert two.value("select count(*) from dev_ana__desk.after") == 100
    # What another environment ran is not production's state.
    assert kept(two) == state


@pytest.mark.thorough
def test_what_a_change_needs_is_planned_and_built(
    two: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "pr_7")
    file = str(tmp_path / "plan.txt")

    def planned() -> dict[str, Any]:
        code, text = run(capsys, "plan", "--json", "--select-file", file)
        assert code == 0, text
        return dict(json.loads(text))

    assert planned()["nodes"] == []
    code, text = run(capsys, "build", "--select-file", file, "--defer-to", "production")
    assert (code, "selects nothing" in text) == (0, True), text
    two.port("desk/after", AFTER, COLUMNS.replace("[store, web]", "[store, web, phone]"), meta=EXEMPT)
    facts = planned()
    assert facts["before"].startswith("production (run of ")
    reasons = {node["label"]: node["reasons"] for node in facts["nodes"] if node["kind"] == "model"}
    assert reasons == {"desk.after": ["its check accepted_values of channel changed"]}
    code, facts = built(capsys, "--select-file", file, "--defer-to", "production", "--favor-state")
    assert (code, facts["ports"]) == (0, {"desk.after": "published"}), facts
    tests = [status for node, status in facts["statuses"].items() if node.startswith("test.")]
    assert (len(tests) > 1, set(tests)) == (True, {"pass"})
    two.port("desk/after", AFTER, COLUMNS, meta=EXEMPT)
    code, text = run(capsys, "plan", "--selector")
    assert text == "fqn:nothing_changed\n"


@pytest.mark.thorough
def test_what_was_refused_stays_as_it_was(
    two: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTMESH_LAKE", str(two.folder / "lake2"))
    two.land("lines", good() + DUPLICATE)
    code, facts = built(capsys)
    two.land("lines", good())
    assert (code, facts["ports"]["desk.other"]) == (1, "published")
    found, _ = production.read("local")
    assert [id_ for id_ in found["nodes"] if id_.startswith("model")] == ["model.desk.other"]


@pytest.mark.thorough
def test_a_state_that_cannot_be_written_is_said_and_stops_nothing(
    two: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (two.folder / "a_file").write_text("")
    monkeypatch.setenv("PORTMESH_LAKE", str(two.folder / "a_file"))
    code, text = run(capsys, "build", "--select", "other")
    assert (code, "What ran was not recorded for portmesh plan." in text) == (0, True), text


@pytest.mark.thorough
def test_a_file_of_selectors(
    two: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PORTMESH_ENVIRONMENT", "dev_bob")
    plan = tmp_path / "plan.txt"
    code, text = run(capsys, "build", "--select-file", str(plan))
    assert (code, f"There is no file {plan}" in text) == (3, True), text
    plan.write_text("")
    assert built(capsys, "--select-file", str(plan))[1]["ports"] == {}
    plan.write_text("fqn:desk.output_ports.other\n")
    code, facts = built(capsys, "--select-file", str(plan))
    assert (code, list(facts["statuses"])) == (0, ["model.desk.other"])
    assert two.has("dev_bob__desk.other")
    # As CI builds in an empty database: with everything that is read.
    plan.write_text("+fqn:desk.output_ports.after\n")
    assert built(capsys, "--select-file", str(plan))[1]["ports"] == dict.fromkeys(
        ["desk.after", "shop.lines"], "published"
    )
