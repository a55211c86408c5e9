"""A scheduler's run: its outcome in one file, what it goes on with after a kill, and what waits for its inputs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import parse_manifest

from portmesh.building import Graph, Ran, Step
from portmesh.dbt_steps import DbtSteps
from portmesh.errors import UsageError
from portmesh.runs.backfill import Batch
from portmesh.runs.basis import Basis
from portmesh.runs.inputs import has_no_version, held_inputs, input_ports, is_held_back, wait_in_words
from portmesh.runs.outcome import STOPPED
from portmesh.runs.progress import Progress, open_progress
from portmesh.runs.records import MOST_PUBLICATIONS, Attempt, PortRecord, read_records
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh, call
from tests.test_build import OF_ITS_OWN, graph
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good

BY_BATCH = """
{{ config(unique_key='_batch_id') }}
{%- set taken = source('raw', 'sales') %}
with new_rows as (
    {{ rows_of_new_batches(taken) }}
)
select
    cast(sale_id as bigint) as sale_id,
    cast(amount as bigint) as amount,
    cast(_batch_id as {{ dbt.type_string() }}) as _batch_id,
    cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at,
    cast(_landed_at as {{ dbt.type_timestamp() }}) as landed_at
from new_rows
"""
OF_BATCHES = """
- {name: sale_id, data_type: bigint, description: Key., data_tests: [unique, not_null]}
- {name: amount, data_type: bigint, description: Amount., data_tests: [{accepted_range: {arguments: {min_value: 0}}}]}
- {name: _batch_id, data_type: string, description: Batch.}
- {name: _landed_at, data_type: timestamp, description: When it landed.}
- {name: landed_at, data_type: timestamp, description: The same.}
"""


def batch(name: str, first: int, amount: int = 1) -> str:
    """A select of ten sales of a batch."""
    landed = "timestamp '2026-01-01 06:00:00' as _landed_at"
    rows = f"range({first}, {first + 10}) t(i)"
    return f"select i as sale_id, {amount} as amount, '{name}' as _batch_id, {landed} from {rows}"


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Another process has a DuckDB database open."""
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.communicate()


@pytest.fixture
def two_products(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop.lines; desk.after, which reads it; desk.other, which reads nothing."""
    mesh.set_up("shop", "desk")
    mesh.port("shop/lines", LINES, COLUMNS, meta=f"{EXEMPT}\nconsumers: [{{name: desk, purpose: Reports.}}]")
    mesh.port("desk/after", "select * from {{ ref('shop', 'lines') }}", COLUMNS, meta=EXEMPT)
    mesh.port("desk/other", OF_ITS_OWN, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


SALES_ARE_CAST = """
unit_tests:
  - name: sales_are_cast
    model: sales
    given:
      - input: source('raw', 'sales')
        rows: [{sale_id: 1, amount: 1, _batch_id: its own, _landed_at: 2026-01-01}]
    expect: {rows: [{sale_id: 1, _batch_id: its own}]}
"""


@pytest.fixture
def sales(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """The port shop.sales, taken batch by batch, of which batch a is landed."""
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", BY_BATCH, OF_BATCHES, meta=EXEMPT)
    mesh.write("domains/shop/models/output_ports/units.yml", SALES_ARE_CAST)
    mesh.land("sales", batch("a", 0))
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def outcome_of(portmesh: Portmesh, folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the outcome of a build."""
    file = folder / "outcome.json"
    called = portmesh("build", "--outcome", file, *arguments)
    facts: dict[str, Any] = json.loads(file.read_text())
    assert facts["exit_code"] == called.exit_code, called.out + called.err
    assert not file.with_name(".outcome.json.new").exists()
    return called.exit_code, facts


def states(facts: dict[str, Any]) -> dict[str, str]:
    return {label: port["state"] for label, port in facts["ports"].items()}


def test_the_outcome_says_what_became_of_each_port(
    two_products: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A product waits for the first version of what it reads.
    code, facts = outcome_of(portmesh, two_products.folder, "--select", "package:desk", "--wait-for-missing-inputs")
    assert (code, states(facts)) == (0, {"desk.after": "waiting", "desk.other": "published"})
    assert facts["ports"]["desk.after"]["message"] == "waits for shop.lines, which has no version yet"

    code, facts = outcome_of(portmesh, two_products.folder)
    assert (code, facts["products"], facts["errors"]) == (0, ["desk", "shop"], {})
    assert states(facts) == {"desk.after": "published", "desk.other": "published", "shop.lines": "published"}
    (first,) = facts["ports"]["shop.lines"]["publications"]
    assert (first["rows"], first["sequence"], first["batches"]) == (100, 1, None)
    assert facts["ports"]["shop.lines"]["has_older_publications"] is False

    two_products.land("lines", good() + DUPLICATE)
    code, facts = outcome_of(portmesh, two_products.folder, "--select", "lines+")
    refused = facts["ports"]["shop.lines"]
    assert (code, refused["state"], refused["failed_checks"]) == (1, "refused", ["unique of line_id"])
    assert refused["message"].startswith("shop.lines was not published. Consumers keep the version of ")
    assert "  next            fix the model or the batch, then: dbt build --select lines+" in refused["message"]
    assert refused["candidate"] in refused["message"]
    assert two_products.has(refused["candidate"])
    assert [one["version"] for one in refused["publications"]] == [first["version"]]
    assert facts["ports"]["desk.after"]["state"] == "waiting"
    assert facts["ports"]["desk.after"]["message"].startswith("waits for shop.lines, refused ")
    assert facts["waits_for"]["desk.after"] == ["shop.lines"]

    # By the clock it is built from what is published; a run that waits leaves it out.
    parses = []

    def parse(*arguments: Any) -> Manifest:
        parses.append(arguments)
        return parse_manifest(*arguments)

    monkeypatch.setattr("dbt.cli.requires.parse_manifest", parse)
    code, facts = outcome_of(portmesh, two_products.folder, "--select", "package:desk", "--wait-for-inputs")
    assert len(parses) == 2, "once for the run, once for what production's state is compared with"
    assert (code, states(facts)) == (0, {"desk.after": "waiting", "desk.other": "published"})
    called = portmesh("build", "--select", "after", "--wait-for-inputs")
    assert called.exit_code == 4
    assert "Nothing was built. Ports: 1 waiting." in called.out
    assert "  desk.after   waits for shop.lines, refused " in called.out
    assert outcome_of(portmesh, two_products.folder, "--select", "after")[0] == 0


@pytest.mark.thorough
def test_a_run_that_cannot_begin_says_why(two_products: Mesh, portmesh: Portmesh) -> None:
    code, facts = outcome_of(portmesh, two_products.folder, "--select", "package:desks")
    assert (code, facts["ports"]) == (2, {})
    assert facts["errors"]["local"].startswith("package:desks selects nothing, so nothing was built. Did you mean ")

    two_products.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    code, facts = outcome_of(portmesh, two_products.folder)
    assert (code, set(states(facts).values())) == (1, {"not_built"})
    assert facts["errors"]["local"].startswith("1 finding; nothing was built.\n\nPM104  ")

    called = portmesh("build", "--outcome", two_products.folder / "missing" / "outcome.json")
    assert (called.exit_code, "The outcome cannot be written to " in called.err) == (2, True)


@pytest.mark.thorough
def test_an_engine_that_is_in_use_is_a_sentence(two_products: Mesh, portmesh: Portmesh) -> None:
    two_products.engine.close()
    with held(two_products.database):
        code, facts = outcome_of(portmesh, two_products.folder)
    assert (code, set(states(facts).values()), facts["is_request_wrong"]) == (2, {"not_built"}, False)
    assert facts["errors"]["local"].startswith("The mesh's database is in use by another process.")


@pytest.mark.engines(*ENGINES)
@pytest.mark.thorough
def test_a_publication_has_its_batches(sales: Mesh, portmesh: Portmesh) -> None:
    target = ("--target", sales.target)
    assert sales.dbt("build").ok
    sales.change_source("sales", f"insert into raw.sales {batch('b', 10)}")
    sales.change_source("sales", f"insert into raw.sales {batch('c', 20)}")
    _, facts = outcome_of(portmesh, sales.folder, *target)
    assert [one["batches"] for one in facts["ports"]["shop.sales"]["publications"]] == [["a"], ["b", "c"]]
    _, facts = outcome_of(portmesh, sales.folder, *target)
    assert states(facts) == {"shop.sales": "unchanged"}
    sales.change_source("sales", f"insert into raw.sales {batch('d', 30, amount=-1)}")
    _, facts = outcome_of(portmesh, sales.folder, *target)
    port = facts["ports"]["shop.sales"]
    assert (port["state"], port["batches"], len(port["publications"])) == ("refused", ["d"], 2)


# A run that an input starts

BY_INPUTS = ("--wait-for-inputs", "--only-new-inputs", "--outcome", "outcome.json")
PASSED_OVER = "Nothing was built: the last run built all of it from the versions that its inputs have."


def builds(portmesh: Portmesh, folder: Path, *options: str) -> bool:
    """Whether a run that an input starts builds its product, or passes over it."""
    called = portmesh("build", "--select", "package:desk", *BY_INPUTS, *options)
    assert called.exit_code == 0, called.out + called.err
    facts = json.loads((folder / "outcome.json").read_text())
    if PASSED_OVER in " ".join(called.out.split()):
        assert set(states(facts).values()) == {"unchanged"}
        return False
    return True


@pytest.mark.thorough
def test_a_run_by_inputs_builds_each_version_once(two_products: Mesh, portmesh: Portmesh) -> None:
    mesh, folder = two_products, two_products.folder
    assert mesh.dbt("build", "--select", "package:shop").ok
    assert builds(portmesh, folder)
    assert not builds(portmesh, folder)
    called = portmesh("build", "--select", "package:desk", *BY_INPUTS, "--json")
    assert json.loads(called.out)["ports"] == {"desk.after": "unchanged", "desk.other": "unchanged"}
    assert not builds(portmesh, folder, "--resume", "another run")
    assert "step 1 of 1" in portmesh("build", "--select", "package:desk").out, "by the clock or by hand it is built"

    mesh.land("lines", good(99))
    assert mesh.dbt("build", "--select", "lines").ok
    assert builds(portmesh, folder)
    assert mesh.value("select count(*) from desk.after") == 99
    assert not builds(portmesh, folder)


@pytest.mark.nightly
def test_what_a_run_by_inputs_does_not_pass_over(two_products: Mesh, portmesh: Portmesh) -> None:
    mesh, folder = two_products, two_products.folder
    state = mesh.folder / ".lake" / ".portmesh" / "state" / "desk.json"

    def built_once() -> None:
        assert builds(portmesh, folder)
        assert not builds(portmesh, folder)

    assert mesh.dbt("build", "--select", "package:shop").ok
    built_once()
    # Its own port is not as the last run left it.
    mesh.land("lines", good(99))
    assert mesh.dbt("build", "--select", "lines").ok
    built_once()
    assert portmesh("rollback", "desk.after").exit_code == 0
    built_once()
    # The files are others.
    mesh.port("desk/other", f"{OF_ITS_OWN} where true", COLUMNS, meta=EXEMPT)
    built_once()
    # A later run built a part of it, or something otherwise.
    assert portmesh("build", "--select", "other").exit_code == 0
    built_once()
    assert builds(portmesh, folder, "--full-refresh")
    built_once()
    # A try went on where another had stopped, which may have read older versions.
    progress = ("--resume", "torn")
    assert portmesh("build", "--select", "package:desk", *progress, "--exclude", "after").exit_code == 0
    assert builds(portmesh, folder, *progress)
    built_once()
    # An input was refused, and is mended.
    mesh.land("lines", good() + DUPLICATE)
    assert not mesh.dbt("build", "--select", "lines").ok
    assert builds(portmesh, folder), "what does not read it is built"
    mesh.land("lines", good(98))
    assert mesh.dbt("build", "--select", "lines").ok
    built_once()
    # Production's state is damaged.
    state.write_text("{")
    built_once()
    # It is not production.
    profiles = (folder / "profiles.yml").read_text()
    mesh.write("profiles.yml", profiles.replace("schema: prod", "schema: dev_me"))
    assert mesh.dbt("build", "--select", "package:shop").ok
    assert builds(portmesh, folder)
    assert builds(portmesh, folder)


def test_a_run_left_only_what_it_did_itself() -> None:
    before = Basis("desk", "hash", {}, {"desk.after": 4, "desk.other": 9})
    by_hand = record("rolled_back", run="").attempts[0].model_copy(update={"sequence": 12})
    of_the_run = record("published", run="run").attempts[0].model_copy(update={"sequence": 11})
    after = PortRecord(attempts=[by_hand, of_the_run, *record("published", run="earlier").attempts])
    left = before.as_left({"desk.after": after, "desk.other": record("published", run="earlier")}, "run")
    assert left.ports == {"desk.after": 11, "desk.other": 9}


@pytest.mark.nightly
def test_a_rollback_while_a_run_ends_is_a_reason_to_build(
    two_products: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh, folder = two_products, two_products.folder
    assert mesh.dbt("build", "--select", "package:shop").ok
    assert builds(portmesh, folder)
    mesh.land("lines", good(99))
    assert mesh.dbt("build", "--select", "lines").ok
    built = DbtSteps.__call__

    def build_and_roll_back(self: DbtSteps, step: Step) -> Ran:
        ran = built(self, step)
        with monkeypatch.context() as patch:
            patch.delenv("PORTMESH_RUN")
            assert call("rollback", "desk.after") == 0
        return ran

    with monkeypatch.context() as patch:
        patch.setattr(DbtSteps, "__call__", build_and_roll_back)
        assert builds(portmesh, folder)
    assert mesh.value("select count(*) from desk.after") == 100
    assert builds(portmesh, folder)
    assert mesh.value("select count(*) from desk.after") == 99


# Going on after a kill


def killed(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, node: str, *arguments: str, is_written: bool) -> None:
    """Run `portmesh build` in a child process, killed when a node ends: after or before its line is written."""
    write = Progress.write

    def write_and_die(self: Progress, id_: str, status: str) -> None:
        if id_ != node or is_written:
            write(self, id_, status)
        if id_ == node:
            os.kill(os.getpid(), signal.SIGKILL)

    mesh.engine.close()
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "write", write_and_die)
        child = os.fork()
        if child == 0:
            call("build", *arguments)
            os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def published(mesh: Mesh, port: str) -> int:
    domain, name = port.split(".")
    query = f"select count(*) from portmesh.publications__{domain} where port = '{name}' and verdict = 'published'"
    found: int = mesh.value(query)
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("is_written", [False, True], ids=["line lost", "line written"])
@pytest.mark.ci_cases(1)
def test_a_killed_run_goes_on(
    two_products: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    arguments = ("--select", "lines+", "--resume", "scheduled__2026-11-26T06:00")
    killed(two_products, monkeypatch, "model.shop.lines", *arguments, is_written=is_written)
    assert (published(two_products, "shop.lines"), two_products.has("desk.after")) == (1, False)
    code, facts = outcome_of(portmesh, two_products.folder, *arguments)
    assert (code, states(facts)) == (0, {"shop.lines": "published", "desk.after": "published"})
    assert published(two_products, "shop.lines") == 1
    if not is_written:
        # Another worker has no file of the run.
        shutil.rmtree(two_products.folder / "target" / "runs")
        code, facts = outcome_of(portmesh, two_products.folder, *arguments)
        assert (code, states(facts)) == (0, {"shop.lines": "published", "desk.after": "published"})
        assert (published(two_products, "shop.lines"), published(two_products, "desk.after")) == (1, 1)
    else:
        two_products.port("desk/after", "select * from {{ ref('shop', 'lines') }} where true", COLUMNS, meta=EXEMPT)
        assert outcome_of(portmesh, two_products.folder, *arguments)[0] == 0
        assert published(two_products, "desk.after") == 2
        assert outcome_of(portmesh, two_products.folder, *arguments, "--full-refresh")[0] == 0
        assert published(two_products, "desk.after") == 3


def test_sigterm_is_an_outcome_too(two_products: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: Progress, __: str, ___: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Progress, "write", end)
    code, facts = outcome_of(portmesh, two_products.folder, "--select", "lines+", "--resume", "run")
    assert (code, facts["errors"]["local"]) == (1, STOPPED)
    assert facts["ports"]["shop.lines"]["state"] in ("published", "not_built")
    assert facts["ports"]["desk.after"]["state"] == "not_built"


EDGES = {
    "shop.lines": ["shop.step"],
    "shop.step": ["shop.base"],
    "shop.base": [],
    "shop.test_step": ["shop.step"],
    "shop.other": [],
}


def meshed(edges: dict[str, list[str]], *steps: str) -> Graph:
    """A graph in which the named models are no ports. test_step is a check of step."""
    found = {
        id_: replace(node, is_port=node.is_port and id_ not in steps, attached_to="shop.step" if "test" in id_ else "")
        for id_, node in graph(edges, {}).nodes.items()
    }
    return Graph(found, {})


def record(*verdicts: str, run: str = "run") -> PortRecord:
    """A port's record, the newest verdict first."""
    at, row = datetime(2026, 11, 26, 6, 12), {"version": "v", "row_count": 1, "invocation_id": "i", "run_name": run}
    attempts = [Attempt(verdict=one, sequence=9 - n, at=at, **row) for n, one in enumerate(verdicts)]
    return PortRecord(attempts=attempts)


def test_what_a_failed_port_was_built_from_is_built_again(tmp_path: Path) -> None:
    mesh = meshed(EDGES, "shop.step", "shop.base")
    ended = dict.fromkeys(["shop.step", "shop.base", "shop.test_step", "shop.other"], "success")
    killed_one = Progress("run", tmp_path / "run", dict(ended))
    assert killed_one.done(mesh, list(EDGES), {}) == set(ended)
    failed = Progress("run", tmp_path / "run", ended | {"shop.lines": "error"})
    assert failed.done(mesh, list(EDGES), {}) == {"shop.other"}
    # A port that failed after its publication, by its own hook, is not done.
    assert failed.done(mesh, list(EDGES), {"shop.lines": record("published")}) == {"shop.other"}
    lost = Progress("run", tmp_path / "run", {})
    assert lost.done(mesh, list(EDGES), {"shop.lines": record("published")}) == {"shop.lines"}
    assert lost.done(mesh, list(EDGES), {"shop.lines": record("published", run="another")}) == set()
    assert lost.done(mesh, list(EDGES), {"shop.lines": record("refused", "published")}) == set()


def test_a_record_says_that_it_has_more_publications_than_it_lists() -> None:
    for number, has_older in ((MOST_PUBLICATIONS, False), (MOST_PUBLICATIONS + 1, True)):
        found = record("refused", *["published"] * number)
        assert (len(found.publications), found.has_older_publications) == (MOST_PUBLICATIONS, has_older)
    assert not record(*["published"] * MOST_PUBLICATIONS, "retired", "published").has_older_publications


def test_a_full_disk_is_no_failure_of_a_node(tmp_path: Path) -> None:
    progress = Progress("run", tmp_path / "no folder" / "run")
    progress.write("a", "success")
    assert progress.statuses == {"a": "success"}


def test_a_run_is_built_by_one_process_and_survives_a_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portmesh.runs.progress.find_root", lambda: tmp_path)
    with open_progress("run", "mesh") as progress:
        progress.write("a", "success")
        with pytest.raises(UsageError, match="another process is building this run"), open_progress("run", "mesh"):
            pass
    with progress.file.open("a") as stream:
        stream.write('{"node": "b", "sta')
    with open_progress("run", "mesh") as again:
        again.write("c", "success")
    with open_progress("run", "mesh") as again:
        assert again.statuses == {"a": "success", "c": "success"}
    with open_progress("run", "changed mesh") as again:
        assert again.statuses == {}


def test_what_waits_reads_a_refused_port_of_another_product() -> None:
    edges = {"shop.lines": [], "desk.step": ["shop.lines"], "desk.report": ["desk.step"], "desk.of_it": ["desk.report"]}
    mesh = meshed(edges | {"desk.other": [], "ads.far": ["desk.of_it"]}, "desk.step")
    chosen = ["desk.step", "desk.report", "desk.of_it", "desk.other"]
    inputs = input_ports(mesh, chosen)
    records = {"shop.lines": record("refused", "published")}
    waits = held_inputs(inputs, records, is_held_back)
    assert waits == dict.fromkeys(["desk.step", "desk.report", "desk.of_it"], ("shop.lines",))
    assert wait_in_words(mesh, ["shop.lines"], records) == "waits for shop.lines, refused 26 Nov 06:12 UTC"
    # What reads the old version of a port that is well does not wait, nor what is built in the same run.
    assert held_inputs(input_ports(mesh, ["ads.far"]), records, is_held_back) == {}
    assert held_inputs(input_ports(mesh, [*chosen, "shop.lines"]), records, is_held_back) == {}
    well = {"shop.lines": record("unchanged", "refused", "published")}
    assert held_inputs(inputs, well, is_held_back) == {}
    # A refused version is no reason to wait for a version.
    assert held_inputs(inputs, records, has_no_version) == {}
    never = {"shop.lines": record()}
    assert held_inputs(inputs, never, has_no_version) == held_inputs(inputs, never, is_held_back) == waits
    assert wait_in_words(mesh, ["shop.lines"], never) == "waits for shop.lines, which has no version yet"


# Backfill


@pytest.mark.engines(*ENGINES)
@pytest.mark.thorough
def test_a_backfill_publishes_each_batch_once(sales: Mesh, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, first, amount in (("2017-W20", 10, 1), ("2017-W21", 20, 1), ("2017-W22", 30, -1), ("2017-W23", 40, 1)):
        sales.change_source("sales", f"insert into raw.sales {batch(name, first, amount)}")
    target = ("--target", sales.target)
    called = portmesh("backfill", "shop.sales", "--batches", "2017-W19", *target)
    assert (called.exit_code, "There is no batch '2017-W19'. Did you mean 2017-W" in called.err) == (2, True), (
        called.err
    )

    # Killed when the second batch is published, before anything is said about it.
    arguments = ("--from", "2017-05-15", "--to", "2017-06-11", "--resume", "backfill__2026-11-26", *target)
    built = DbtSteps.__call__

    def build_and_die(self: DbtSteps, step: Step) -> Ran:
        ran = built(self, step)
        if "2017-W21" in os.environ["PORTMESH_BATCHES"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return ran

    sales.engine.close()
    with monkeypatch.context() as patch:
        patch.setattr(DbtSteps, "__call__", build_and_die)
        child = os.fork()
        if child == 0:
            call("backfill", "shop.sales", *arguments)
            os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])

    file = sales.folder / "outcome.json"
    called = portmesh("backfill", "shop.sales", *arguments, "--outcome", file)
    facts = json.loads(file.read_text())
    assert (called.exit_code, states(facts)) == (1, {"shop.sales": "refused"}), called.out
    assert facts["backfill"] == {
        "published": [],
        "before": ["2017-W20", "2017-W21"],
        "empty": [],
        "stopped_at": "2017-W22",
        "left": ["2017-W23"],
    }
    versions = facts["ports"]["shop.sales"]["publications"]
    assert [one["batches"] for one in versions] == [["2017-W20"], ["2017-W21"]]
    assert "0 batches of shop.sales published." in called.out
    assert "  stopped at          2017-W22" in called.out
    assert "shop.sales was not published. Consumers keep the version of " in called.out
    assert sales.value("select count(*) from shop.sales") == 20

    called = portmesh("backfill", "shop.sales", "--batches", "2017-W23,a", "--json", *target)
    assert json.loads(called.out[called.out.index("{") :])["backfill"]["published"] == ["2017-W23", "a"]
    assert published(sales, "shop.sales") == 4
    with monkeypatch.context() as patch:
        patch.setenv("PORTMESH_BATCHES", '["a"]')
        built_again = sales.dbt("build", "--full-refresh")
    assert "PORTMESH_BATCHES with --full-refresh would publish these batches in place of all" in built_again.output

    # A port that is built whole would lose all other batches.
    sales.port("shop/sales", BY_BATCH.replace("{{ config(unique_key='_batch_id') }}", ""), OF_BATCHES, meta=EXEMPT)
    called = portmesh("backfill", "shop.sales", "--batches", "2017-W22", *target)
    assert (called.exit_code, "it is built whole, so these batches would be published in place" in called.out) == (
        1,
        True,
    )
    assert sales.value("select count(*) from shop.sales") == 40


@pytest.mark.engines(*ENGINES)
def test_many_refused_batches_do_not_hide_what_consumers_read(sales: Mesh) -> None:
    assert sales.dbt("build").ok
    columns = [name for name, _ in sales.engine.columns("portmesh.publications__shop")]
    refused = [{"verdict": "'refused'", "sequence": "sequence + i"}.get(name, name) for name in columns]
    sales.execute(
        f"insert into portmesh.publications__shop ({', '.join(columns)}) select {', '.join(refused)} "
        "from portmesh.publications__shop cross join unnest(generate_series(1, 300)) as t(i)"
    )
    sales.engine.close()
    port = "model.shop.sales"
    record = read_records([port], sales.target)[port]
    assert record.newest is not None
    assert (record.newest.verdict, len(record.publications)) == ("refused", 1)


@pytest.mark.engines(*ENGINES)
@pytest.mark.thorough
def test_a_backfill_that_cannot_begin_says_why(two_products: Mesh, portmesh: Portmesh) -> None:
    for arguments, said in (
        (("shop.lines",), "Nothing was built: it needs either batches or two days."),
        (("shop.lines", "--from", "yesterday", "--to", "2026-11-26"), "--from is not a day."),
        (("shop.line", "--batches", "a"), "There is no port 'shop.line'. Did you mean shop.lines?"),
    ):
        assert said in wrong_request(portmesh, *arguments, target=two_products.target)
    assert two_products.dbt("run").ok
    asked = ("shop.lines", "--batches", "a")
    assert "shop.lines has no batches to publish." in wrong_request(portmesh, *asked, target=two_products.target)


def wrong_request(portmesh: Portmesh, *arguments: str, target: str) -> str:
    """What a backfill says that cannot begin because of its arguments. Its outcome must say so, too."""
    called = portmesh("backfill", *arguments, "--outcome", "outcome.json", "--target", target)
    assert (called.exit_code, json.loads(Path("outcome.json").read_text())["is_request_wrong"]) == (2, True), called.err
    return called.err


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2017-W20", "2017-05-15"),
        ("2017-05-20", "2017-05-20"),
        ("20170520", "2017-05-20"),
        ("2017-05", "2017-05-01"),
        ("2017", "2017-01-01"),
        ("2017-13", "2026-01-02"),
        ("till 7", "2026-01-02"),
    ],
)
def test_the_day_of_a_batch_is_in_its_name_else_that_of_its_landing(name: str, day: str) -> None:
    assert str(Batch(batch=name, landed_at=datetime(2026, 1, 2, 6), is_published=False).day) == day
