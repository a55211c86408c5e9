"""A mesh on a real Airflow, of both versions that MWAA has: what starts when, and what is announced."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from orchestration.local import POOLS, LocalAirflow
from tests.airflow_mesh import AirflowOfMesh, guards_of, is_running, kill, parent_of
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import call
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good
from tests.test_runs import BY_BATCH, OF_BATCHES, batch, held

CONSUMERS = f"{EXEMPT}\nconsumers: [{{name: desk, purpose: Reports.}}]"
PACED = """
select
    lines.*
    exclude (amount),
    cast(lines.amount + 0 * work.done as decimal(10, 2)) as amount
from {{{{ ref('lines') }}}} as lines
cross join (
    select max(hash(a.i * b.i)) % 2 as done
    from (select unnest(range(1, n + 1)) as i from read_csv('{pace}')) as a
    cross join range(1000000) as b(i)
) as work
"""
AFTER = "select * from {{ ref('shop', 'lines') }}"
TOTALS = """
select
    cast(count(*) as bigint) as sale_id,
    cast(sum(amount) as bigint) as amount,
    cast('all' as {{ dbt.type_string() }}) as _batch_id,
    max(_landed_at) as _landed_at,
    max(landed_at) as landed_at
from {{ ref('shop', 'sales') }}
"""


class Scene:
    """The mesh on Airflow: shop makes lines, sales (batch by batch) and slow; desk reads lines and sales."""

    def __init__(self, mesh: Mesh, airflow: AirflowOfMesh) -> None:
        self.mesh = mesh
        self.airflow = airflow

    @property
    def published(self) -> dict[str, int]:
        """The number of publications of each port."""
        rows = self.mesh.rows(
            "select product || '.' || port, count(*) from ("
            "select product, port, verdict from portmesh.publications__shop union all "
            "select product, port, verdict from portmesh.publications__desk) where verdict = 'published' group by 1"
        )
        return dict(rows)

    def slow_run(self, work: int = 100000) -> int:
        """Trigger shop, and wait until its port lines is published and slow at work: the leader of its processes."""
        self.mesh.write("pace.csv", f"n\n{work}\n")
        self.airflow.trigger("shop")
        done = "OK created sql output_port model shop.lines"
        self.airflow.wait(lambda: self.airflow.is_told("shop", done), "lines")
        (guard,) = guards_of(self.mesh.folder)
        return guard

    def make_fast(self) -> None:
        self.mesh.write("pace.csv", "n\n1\n")

    def announced(self) -> list[str]:
        """The ports of the events since the last call."""
        before = getattr(self, "_announced", 0)
        events = [port for port, _ in self.airflow.events()]
        self._announced = len(events)
        return sorted(events[before:])


def make_mesh(folder: Path) -> Mesh:
    """The mesh of a scene, with its schedule."""
    mesh = Mesh(folder)
    mesh.set_up("shop", "desk", sources=("lines", "sales"))
    mesh.port("shop/lines", LINES, COLUMNS, meta=CONSUMERS)
    mesh.port("shop/sales", BY_BATCH, OF_BATCHES, meta=CONSUMERS)
    mesh.port("shop/slow", PACED.format(pace=mesh.write("pace.csv", "n\n1\n")), COLUMNS, meta=EXEMPT)
    mesh.port("desk/after", AFTER, COLUMNS, meta=EXEMPT)
    mesh.port("desk/totals", TOTALS, OF_BATCHES, meta=EXEMPT)
    mesh.land("lines", good())
    mesh.land("sales", batch("a", 0))
    assert mesh.dbt("deps").ok
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(mesh.folder)
        assert call("schedule") == 0
    shutil.copy(REPOSITORY / "orchestration/dags/portmesh_dags.py", mesh.folder / "orchestration/dags")
    return mesh


@contextmanager
def running(major: int, folder: Path) -> Iterator[Scene]:
    """A scene on an Airflow of its own, which is stopped at the end."""
    subprocess.run([REPOSITORY / "tools/environment.sh", f"airflow{major}"], check=True)
    mesh = make_mesh(folder / "mesh")
    airflow = AirflowOfMesh(major, mesh.folder, folder / "airflow")
    try:
        airflow.start()
        yield Scene(mesh, airflow)
    finally:
        airflow.airflow.stop()


@pytest.fixture(scope="module", params=[3, 2], ids=["airflow3", "airflow2"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running(request.param, tmp_path_factory.mktemp("scene")) as scene:
        yield scene


@pytest.mark.nightly
def test_a_product_starts_when_what_it_reads_was_published(scene: Scene) -> None:
    """It is told here as one story, because each start of an Airflow costs as much as ten runs."""
    airflow, mesh = scene.airflow, scene.mesh

    # A source-aligned product is built; its events start the product that reads it.
    airflow.trigger("shop")
    shop, desk = airflow.runs(2)
    assert (shop.dag, shop.state, desk.dag, desk.state) == ("shop", "success", "desk", "success")
    assert {task: state for task, (state, _) in shop.tasks.items()} == {
        "build": "success",
        "announce_despite_failure": "skipped",
        "published": "success",
    }
    assert scene.announced() == ["desk.after", "desk.totals", "shop.lines", "shop.sales", "shop.slow"]
    of_sales = next(extra for port, extra in airflow.events() if port == "shop.sales")
    assert (of_sales["batches"], of_sales["rows"], of_sales["versions"]) == (["a"], 10, [of_sales["version"]])

    # A batch is refused. What was published is announced; what reads the refused port waits.
    mesh.land("lines", good() + DUPLICATE)
    mesh.land("sales", f"{batch('a', 0)} union all {batch('b', 10)}")
    airflow.trigger("shop")
    shop, desk = airflow.runs(2)
    assert (shop.state, desk.state) == ("failed", "success")
    assert shop.tasks["build"][0] == "failed"
    assert scene.announced() == ["desk.totals", "shop.sales"]
    assert airflow.events()[-2][1]["batches"] == ["b"]
    log = airflow.log("shop", shop.id, attempt=shop.tasks["build"][1])
    end = log[log.rindex("AirflowFailException") :]
    assert "shop.lines was not published." in end
    assert "the candidate   shop__internal.lines__" in end
    assert "desk.after waits for" in " ".join(airflow.log("desk", desk.id, attempt=desk.tasks["build"][1]).split())
    assert scene.published == {"shop.lines": 1, "shop.sales": 2, "shop.slow": 1, "desk.after": 1, "desk.totals": 2}

    # The batch is mended, and what waited is built. Its publication is told once.
    mesh.land("lines", good(101))
    airflow.trigger("shop")
    shop, desk = airflow.runs(2)
    assert (shop.state, desk.state) == ("success", "success")
    assert scene.announced() == ["desk.after", "desk.totals", "shop.lines", "shop.slow"]
    assert mesh.value("select count(*) from desk.after") == 101

    # One port only, which has nothing new: nothing is announced and nothing starts.
    airflow.trigger("shop", port="shop.sales")
    (shop,) = airflow.runs(1)
    assert shop.state == "success"
    assert scene.announced() == []
    assert scene.published == {"shop.lines": 2, "shop.sales": 2, "shop.slow": 2, "desk.after": 2, "desk.totals": 3}

    # A full refresh must be confirmed.
    airflow.trigger("shop", full_refresh=True, confirm="ship")
    (shop,) = airflow.runs(1)
    assert shop.state == "failed"
    assert shop.tasks["build"] == ("failed", 1)
    assert "trigger shop again with confirm = shop; it was ship." in airflow.log("shop", shop.id)

    # The worker dies after lines was published. The next try goes on; the event comes once.
    guard = scene.slow_run()
    kill(parent_of(guard))
    airflow.wait(lambda: not is_running(guard), "end of the child")
    scene.make_fast()
    shop, desk = airflow.runs(2)
    assert (shop.state, desk.state, shop.tasks["build"][0]) == ("success", "success", "success")
    assert shop.tasks["build"][1] >= 2
    assert scene.announced() == ["desk.after", "desk.totals", "shop.lines", "shop.slow"]
    assert scene.published["shop.lines"] == 3

    # Missed batches are filled in one by one, and told in one event. The second time there is nothing to do.
    batches = [batch(name, first) for name, first in (("a", 0), ("b", 10), ("c", 20), ("d", 30))]
    mesh.land("sales", " union all ".join(batches))
    airflow.trigger("shop", port="shop.sales", batches="c,d")
    shop, desk = airflow.runs(2)
    assert (shop.state, desk.state) == ("success", "success")
    assert scene.announced() == ["desk.after", "desk.totals", "shop.sales"]
    of_sales = [extra for port, extra in airflow.events() if port == "shop.sales"][-1]
    assert (of_sales["batches"], len(of_sales["versions"])) == (["c", "d"], 2)
    assert scene.published["shop.sales"] == 4
    airflow.trigger("shop", port="shop.sales", batches="c,d")
    (shop,) = airflow.runs(1)
    assert (shop.state, scene.announced()) == ("success", [])

    # An unknown batch is not tried again.
    airflow.trigger("shop", port="shop.sales", batches="e")
    (shop,) = airflow.runs(1)
    assert shop.tasks["build"] == ("failed", 1)
    assert "There is no batch 'e'." in airflow.log("shop", shop.id)


@pytest.mark.nightly
def test_a_missing_pool_and_a_database_in_use_need_no_repair(scene: Scene) -> None:
    airflow, mesh = scene.airflow, scene.mesh
    airflow.trigger("shop")
    airflow.settled()
    scene.announced()
    before = scene.published

    def ended(*, tries: int) -> None:
        """The run of shop succeeded, with one version and one event more of each of its ports."""
        nonlocal before
        runs = airflow.settled()
        assert {run.state for run in runs} == {"success"}
        (shop,) = [run for run in runs if run.dag == "shop"]
        assert shop.tasks["build"][1] >= tries
        now, of_shop = scene.published, [port for port in scene.announced() if port.startswith("shop.")]
        assert of_shop == ["shop.lines", "shop.slow"]
        assert {port: now[port] - before[port] for port in of_shop} == {"shop.lines": 1, "shop.slow": 1}
        before = now

    # The pool is missing: the scheduler's log says so, and the task starts once the pool is there.
    airflow.airflow.run("pools", "delete", "portmesh_local")
    airflow.trigger("shop")
    told = "Tasks using non-existent pool 'portmesh_local' will not be scheduled"
    airflow.wait(lambda: told in (airflow.airflow.home / "scheduler.log").read_text(), "warning of the pool")
    assert airflow.states("shop") == ["running"]
    airflow.airflow.run("pools", "import", str(POOLS))
    ended(tries=1)

    # Another process holds the database.
    with held(mesh.database):
        airflow.trigger("shop")
        in_use = "The mesh's database is in use by another process."
        airflow.wait(lambda: airflow.is_told("shop", in_use), "sentence")
    ended(tries=2)


@pytest.mark.nightly
@pytest.mark.parametrize("major", [3, 2])
def test_no_build_runs_once_airflow_is_stopped(major: int, tmp_path: Path) -> None:
    with running(major, tmp_path) as scene:
        guard = psutil.Process(scene.slow_run())
        processes = [guard, *guard.children()]
        assert len(processes) == 2
        scene.airflow.airflow.stop()
        _, alive = psutil.wait_procs(processes, timeout=5)
        assert not alive


BY_HAND = """
try:
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG, Asset

    PORT = Asset(name="shop.lines", uri="portmesh://shop/lines")
except ImportError:
    from airflow import DAG
    from airflow.datasets import Dataset
    from airflow.operators.python import PythonOperator

    PORT = Dataset("portmesh://shop/lines")

with DAG("again", schedule=None):
    PythonOperator(task_id="emit", python_callable=print, outlets=[PORT])
"""


@pytest.mark.nightly
def test_what_is_done_already_is_not_done_again(scene: Scene) -> None:
    airflow = scene.airflow
    airflow.trigger("shop")
    runs = airflow.settled()
    scene.announced()
    before = scene.published

    # A green build is cleared, of the product that ran by hand and of the one that an event started.
    for dag in ("shop", "desk"):
        (run,) = [run for run in runs if run.dag == dag]
        airflow.clear(run)
        (again,) = airflow.runs(1)
        assert (again.id, again.state, again.tasks["build"]) == (run.id, "success", ("success", 2))
        assert (scene.announced(), scene.published) == ([], before)

    # An event that brings no version starts a reader, which has nothing to do.
    (airflow.dags / "again.py").write_text(BY_HAND)
    airflow.wait(lambda: airflow.knows("again"), "the DAG again")
    airflow.trigger("again")
    again, desk = airflow.runs(2)
    assert (again.state, desk.dag, desk.state) == ("success", "desk", "success")
    assert desk.id.startswith(("asset_triggered", "dataset_triggered"))
    assert (scene.announced(), scene.published) == (["shop.lines"], before)


NAMES = "print(*[name for name, dag in vars(dags).items() if isinstance(dag, dags.DAG)])"
OLDER = f"""
of_airflow = dags.read_schedule()["orders"]["hash"]
print(*[dags.is_older_than_mesh("orders", each, dags.Path({str(REPOSITORY)!r})) for each in (of_airflow, "another")])
"""


TELL = """
import time

told = dags._told(dags.AirflowException("told"))
for error in (None, told, dags._wrong_request("wrong"), dags.AirflowException("The engine is away.\\nMore.")):
    dags.tell_owner("shop", "local", {"exception": error})
for minutes, work in ((59, 0), (61, 0.5)):
    run = type("Run", (), {"start_date": dags.datetime.now(dags.UTC) - dags.timedelta(minutes=minutes)})
    with dags.lateness_of("shop", "local", 3600, run):
        time.sleep(work)
"""


SAYS = """
from types import SimpleNamespace

orders = dags.dag_of_product("orders", dags.read_schedule()["orders"]).get_task("build")
nothing = {"port": dags.ALL, "batches": None, "from": None, "to": None, "full_refresh": False, "confirm": None}

def said(work):
    try:
        print(">", work())
    except dags.AirflowException as error:
        print(">", type(error).__name__, str(error).splitlines()[0])

def command(run_type="manual", **params):
    run = SimpleNamespace(run_type=run_type)
    said(lambda: orders._command({"params": nothing | params, "run_id": "run", "dag_run": run}))

def failure(exit_code, errors, **ports):
    states = {"orders." + name: {"state": state, "message": name + "."} for name, state in ports.items()}
    failed = {name: name + "." for name, port in states.items() if port["state"] in ("refused", "failed")}
    wrong = {"is_request_wrong": "batch" in str(errors)}
    outcome = {"exit_code": exit_code, "ports": states, "failed": failed, "errors": errors} | wrong
    found = dags._failure("orders", outcome)
    print(">", type(found).__name__, *(str(found) if found else "").splitlines())

odd = dags.read_schedule()["orders"] | {"channel": "c" * 200, "ports": {"größe.maß": {"fqn": "x", "description": ""}}}
print(">", max(map(len, dags.dag_of_product("größe", odd).tags)), dags._uri("größe.maß"))
first = [{"sequence": 1}]
print(">", *[dags._after(first, told) for told in (0, 1, 40)])
command("backfill")
command(batches="a")
command(batches="a", full_refresh=True, confirm="orders", port="orders.order_lines")
command(full_refresh=True, confirm="order")
command("scheduled")
command("asset_triggered")
failure(1, {}, lines="refused", baskets="published")
failure(1, {}, lines="refused", baskets="failed")
failure(2, {"emr": "The engine is not up."}, lines="not_built")
failure(2, {"emr": "There is no batch 'a'."}, lines="not_built")
failure(4, {}, lines="waiting")
failure(0, {}, lines="published")
said(lambda: orders.run_portmesh("build"))
dags.os.environ["PORTMESH_PYTHON"] = "pyton"
said(dags._place)
dags.os.environ |= {"PORTMESH_PYTHON": "sh", "PORTMESH_HOME": ""}
said(dags._place)
"""


ANNOUNCES = """
class Events(list):
    def ascending(self, is_ascending):
        assert not is_ascending
        return Events(self[::-1])

    def limit(self, most):
        return self[:most]

if dags.port_asset("a.b").__class__.__name__ == "Dataset":
    del Events.limit

class Announced(dict):
    def __getitem__(self, asset):
        return dict.__getitem__(self, asset.uri)

def announced(*extras):
    events = Events(SimpleNamespace(extra=extra) for extra in extras)
    return Announced({dags._uri("shop.sales"): events})

def outcome(*sequences, has_older=False, **batches):
    listed = [{"sequence": n, "version": f"v{n}", "rows": n, "batches": batches.get(f"of_{n}", [n])} for n in sequences]
    return {"shop.sales": {"publications": listed, "has_older_publications": has_older}}

def told(of, before):
    print("!", *[[*event["extra"].values()] for event in dags._news(of, before)] or ["nothing"])

odd = [{}, None, "text", 7, [1], {"sequence": "3"}, {"sequence": None}, {"sequence": True}] * 20
told(outcome(1, 2), announced())
told(outcome(1, 2), announced({"sequence": 1}, *odd))
told(outcome(1, 2), announced({"sequence": 2}, *odd))
told(outcome(1, 2), announced(*odd))
told(outcome(1, 2), announced({"sequence": 40}))
told(outcome(5, 6, has_older=True), announced({"sequence": 5}))
told(outcome(5, 6, has_older=True), announced({"sequence": 4}))
told(outcome(5, 6, has_older=True), announced())
told(outcome(5, 6, of_6=None), announced())

rest = dags.dag_of_product("shop", dags.read_schedule()["orders"]).get_task("announce_despite_failure")
print("!", rest.inlets == orders.inlets)
left = list(dags._news(outcome(7), announced({"sequence": 6})))
anew = list(dags._news(outcome(1), announced({"sequence": 40})))
dags._emit = lambda operator, context, events: print("!", *[event["extra"]["version"] for event in events])

def run(self, *arguments):
    ports = {"orders.order_lines": outcome(9)["shop.sales"], "orders.newer": outcome(10)["shop.sales"]}
    dags.Path(arguments[arguments.index("--outcome") + 1]).write_text(dags.json.dumps({"exit_code": 0, "ports": ports}))
    return 0, []

dags.BuildProduct.run_portmesh = run
by_hand = {"params": nothing, "run_id": "run", "dag_run": SimpleNamespace(run_type="manual")}
orders.execute(by_hand | {"inlet_events": Announced({dags._uri("orders.order_lines"): Events()})})

def rest_told(events, before):
    ti = SimpleNamespace(xcom_pull=lambda **_: events)
    try:
        rest.execute({"ti": ti, "inlet_events": before})
    except dags.AirflowSkipException as skipped:
        print("!", skipped)

rest_told(left, announced({"sequence": 6}, {}))
rest_told(left, announced({"sequence": 6}, left[0]["extra"]))
rest_told(left, announced({"sequence": 6}, {"sequence": 8}))
rest_told(anew, announced({"sequence": 40}))
rest_told(anew, announced({"sequence": 40}, anew[0]["extra"]))
rest_told(None, announced())
"""


@pytest.mark.thorough
@pytest.mark.ci_cases(1)
@pytest.mark.parametrize("major", [3, 2])
def test_what_a_task_cannot_do_is_said(major: int, tmp_path: Path) -> None:
    subprocess.run([REPOSITORY / "tools/environment.sh", f"airflow{major}"], check=True)
    for name in ("portmesh_dags.py", "portmesh_schedule.json"):
        (tmp_path / name).write_text((REPOSITORY / "orchestration/dags" / name).read_text())
    home = tmp_path / "mesh"
    (home / "orchestration/dags").mkdir(parents=True)
    (home / "dbt_project.yml").touch()
    newer = (tmp_path / "portmesh_schedule.json").read_text().replace('"hash": "', '"hash": "9')
    (home / "orchestration/dags/portmesh_schedule.json").write_text(newer)
    python = str(REPOSITORY / f".venv-airflow{major}/bin/python")
    place = {"PORTMESH_HOME": str(home), "PORTMESH_PYTHON": python, "PYTHONPATH": ""}
    said = all_of(tmp_path, SAYS + ANNOUNCES, major, **place)
    resumed = "['build', '--select', 'package:orders', '--resume', 'orders/run', "
    assert [line[2:] for line in said if line.startswith("> ")] == [
        "100 portmesh://gr%C3%B6%C3%9Fe/ma%C3%9F",
        "[{'sequence': 1}] [] [{'sequence': 1}]",
        "AirflowFailException Airflow's own backfill would only repeat today's build. To fill in batches of a port, "
        "trigger orders with the parameters port and batches, or from and to.",
        "AirflowFailException The parameters batches, from and to are for one port, and port is all ports. Trigger "
        "orders again and choose the port.",
        "AirflowFailException The parameters batches, from and to publish batches one by one, and full_refresh builds "
        "all rows again. Trigger orders again with either.",
        "AirflowFailException full_refresh builds every incremental port again from all of its rows. To confirm it, "
        "trigger orders again with confirm = orders; it was order.",
        f"{resumed}'--wait-for-missing-inputs']",
        f"{resumed}'--wait-for-inputs', '--only-new-inputs']",
        "AirflowFailException orders.lines.",
        "AirflowException orders.lines.  orders.baskets.",
        "AirflowException The engine is not up.",
        "AirflowFailException There is no batch 'a'.",
        "AirflowSkipException Nothing was built. lines.",
        "NoneType",
        f"AirflowException portmesh is not installed in the Python {python}. Install the mesh's requirements there "
        "(tools/environment.sh run), or name another Python: PORTMESH_PYTHON.",
        "AirflowException PORTMESH_PYTHON is 'pyton', which does not exist. It names the Python of the environment "
        "that has portmesh.",
        "AirflowException PORTMESH_HOME is not set. It names the folder of the mesh's repository on this worker.",
    ]
    assert sum("The schedule of orders is not the mesh's" in line for line in said) == 1
    nothing_left = "The build published nothing new, or it is announced already."
    assert [line[2:] for line in said if line.startswith("! ")] == [
        "['v2', 2, 2, ['v1', 'v2'], True, [1, 2], None]",
        "['v2', 2, 2, ['v2'], True, [2], 1]",
        "nothing",
        "['v2', 2, 2, ['v1', 'v2'], True, [1, 2], None]",
        "['v2', 2, 2, ['v1', 'v2'], True, [1, 2], 40]",
        "['v6', 6, 6, ['v6'], True, [6], 5]",
        "['v6', 6, 6, ['v5', 'v6'], False, [5, 6], 4]",
        "['v6', 6, 6, ['v5', 'v6'], False, [5, 6], None]",
        "['v6', 6, 6, ['v5', 'v6'], True, None, None]",
        "True",
        "v9",
        "v7",
        *(nothing_left, nothing_left),
        "v1",
        *(nothing_left, nothing_left),
    ]


def sentence_of(dags: Path, ask: str = NAMES, **variables: str) -> str:
    """The last line of `all_of`."""
    return all_of(dags, ask, **variables)[-1]


def all_of(dags: Path, ask: str, major: int = 3, **variables: str) -> list[str]:
    """What an Airflow prints that imports the DAGs of a folder, or its error."""
    airflow = LocalAirflow(major, dags / "home", dags, variables)
    code = f"import portmesh_dags as dags\n{ask}"
    done = subprocess.run(
        [airflow.python, "-c", code], cwd=dags, env=airflow.environment, capture_output=True, text=True
    )
    return (done.stderr if done.returncode else done.stdout).strip().splitlines()


@pytest.mark.nightly
def test_a_schedule_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    subprocess.run([REPOSITORY / "tools/environment.sh", "airflow3"], check=True)
    source = REPOSITORY / "orchestration/dags"
    (tmp_path / "portmesh_dags.py").write_text((source / "portmesh_dags.py").read_text())
    schedule = tmp_path / "portmesh_schedule.json"
    text = (source / "portmesh_schedule.json").read_text()
    assert "There is no schedule beside portmesh_dags.py" in sentence_of(tmp_path)
    schedule.write_text(text[:500])
    assert "portmesh_schedule.json is damaged" in sentence_of(tmp_path)
    schedule.write_text(json.dumps(json.loads(text) | {"version": 9}))
    assert "has the format 9, and this portmesh_dags.py reads the format 1." in sentence_of(tmp_path)
    schedule.write_text(text)
    assert "orders" in sentence_of(tmp_path).split()
    assert sentence_of(tmp_path, ask=OLDER) == "False True"
    wanted = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"
    assert sentence_of(tmp_path, **{wanted: "orders.upkeep"}) == "orders.upkeep"
    assert "has no product for the DAG ordres" in sentence_of(tmp_path, **{wanted: "ordres"})
    # The owner is told of what the child could not tell itself.
    (tmp_path / "dbt_project.yml").touch()
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$PORTMESH_PRODUCT: $*"\n')
    python.chmod(0o755)
    place = {"PORTMESH_HOME": str(tmp_path), "PORTMESH_PYTHON": str(python), "PORTMESH_ALERTS": "alerts.yml"}
    assert all_of(tmp_path, TELL, **place) == [
        "shop: -m portmesh alert --product shop --failure The process of the task was killed. --target local",
        "shop: -m portmesh alert --product shop --failure The engine is away. --target local",
        "shop: -m portmesh alert --product shop --late The run takes longer than 60 minutes (late_after of its group), "
        "and goes on. --target local",
    ]
    assert all_of(tmp_path, TELL, **place | {"PORTMESH_ALERTS": ""}) == []
