"""A DAG for each product of the mesh, from portmesh_schedule.json beside this file (`portmesh schedule` writes it).

It needs Airflow 3.3 or 2.11 and nothing else: the mesh is built by a child process with its own Python.

  PORTMESH_HOME    the folder of the mesh's repository on the workers
  PORTMESH_PYTHON  the Python that has portmesh, such as /usr/local/airflow/portmesh/bin/python
  PORTMESH_TARGET  where everything is built; without it, each product on the engine that its group names
  PORTMESH_ALERTS  the file that says where alerts go; without it, nobody is told
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import quote

try:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import (
        DAG,
        Asset,
        AssetAlias,
        AssetAny,
        AssetOrTimeSchedule,
        BaseOperator,
        CronTriggerTimetable,
        Param,
        get_parsing_context,
    )
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

    def port_asset(label: str) -> Any:
        return Asset(name=label, uri=_uri(label), group="portmesh")

    def assets_or_time(assets: Any, timetable: Any) -> Any:
        return AssetOrTimeSchedule(timetable=timetable, assets=assets)

    def event_extra(extra: Mapping[str, Any]) -> dict[str, Any]:
        return dict(extra)

    def newest_first(events: Any) -> Iterator[Any]:
        """Events in pages that grow, because each page is a request to Airflow's server."""
        events, seen, most = events.ascending(False), 0, 1
        while found := list(events.limit(most))[seen:]:
            yield from found
            seen, most = most, most * 10
except ImportError:  # Airflow 2 calls an asset a dataset
    from airflow import DAG
    from airflow.datasets import Dataset
    from airflow.datasets import DatasetAlias as AssetAlias
    from airflow.datasets import DatasetAny as AssetAny
    from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException
    from airflow.models import BaseOperator
    from airflow.models.param import Param
    from airflow.operators.empty import EmptyOperator
    from airflow.timetables.datasets import DatasetOrTimeSchedule
    from airflow.timetables.trigger import CronTriggerTimetable
    from airflow.utils.dag_parsing_context import get_parsing_context

    def port_asset(label: str) -> Any:
        return Dataset(_uri(label))

    def assets_or_time(assets: Any, timetable: Any) -> Any:
        return DatasetOrTimeSchedule(timetable=timetable, datasets=assets)

    def event_extra(extra: Mapping[str, Any]) -> dict[str, Any]:
        """Airflow 2 puts the values into a set, which takes no lists."""
        return {key: tuple(value) if isinstance(value, list) else value for key, value in extra.items()}

    def newest_first(events: Any) -> Iterator[Any]:
        """Events one by one, because Airflow's database may have very many of them."""
        with suppress(IndexError):
            for number in count(1):
                yield events[-number]


FILE = Path(__file__).with_name("portmesh_schedule.json")
VERSION = 1
ALL = "all ports"
UPKEEP = ".upkeep"
LAST_LINES = 30
GRACE_SECONDS = 10
LONGEST_TAG = 100
"""Airflow refuses a DAG with a longer one, and with it all DAGs of this file."""
ALERT_SECONDS = 300
WAITING = 4
"""The exit code of `portmesh build` if every port waits for another product's refused port."""
START = datetime(2026, 1, 1, tzinfo=UTC)
GUARD = """
import os, signal, subprocess, sys, threading
signal.signal(signal.SIGTERM, lambda *_: None)
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def end_with_the_task():
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=end_with_the_task, daemon=True).start()
code = child.wait()
os._exit(code if code >= 0 else 128 - code)
"""
"""The leader of the child's process group. Its input ends when the task's process does, however that ends."""


class ScheduleError(Exception):
    """The schedule cannot be read. Airflow shows the sentence as the import error of this file."""


def read_schedule(file: Path = FILE) -> dict[str, Any]:
    """The products of the schedule by name."""
    remedy = "Run `portmesh schedule` in the mesh's repository and deploy the file."
    if not file.is_file():
        raise ScheduleError(f"There is no schedule beside portmesh_dags.py: {file} is missing. {remedy}")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        version, products = found["version"], dict(found["products"])
    except (ValueError, KeyError, TypeError) as error:
        raise ScheduleError(f"The schedule {file} is damaged ({type(error).__name__}: {error}). {remedy}") from error
    if version != VERSION:
        raise ScheduleError(
            f"The schedule {file} has the format {version}, and this portmesh_dags.py reads the format {VERSION}. "
            "Deploy both from the same release of the mesh."
        )
    return products


def is_older_than_mesh(product: str, made_from: str, home: Path) -> bool:
    """Whether the mesh on this worker has another schedule of the product than the one that Airflow read."""
    try:
        of_mesh = read_schedule(home / "orchestration/dags" / FILE.name)
    except ScheduleError:
        return False
    return bool(of_mesh.get(product, {}).get("hash") != made_from)


class MeshOperator(BaseOperator):
    """Runs `portmesh` in a process group of its own, which ends with the task, whatever ends the task."""

    def __init__(self, *, product: str, made_from: str, engine: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.product = product
        self.made_from = made_from
        self.target = _target(engine)
        self._group: subprocess.Popen[str] | None = None

    def run_portmesh(self, *arguments: str) -> tuple[int, list[str]]:
        """The exit code and the last lines of `portmesh` with these arguments. Its output goes to the task's log."""
        python, home = _place()
        if is_older_than_mesh(self.product, self.made_from, Path(home)):
            self.log.warning(
                "The schedule of %s is not the mesh's: it may start at other times than its group says, or miss an "
                "input. The build is right all the same. Deploy %s together with the mesh.",
                *(self.product, FILE.name),
            )
        self.log.info("portmesh %s", " ".join(arguments))
        self._group = subprocess.Popen(
            [sys.executable, "-ISc", GUARD, python, "-m", "portmesh", *arguments],
            cwd=home,
            env=_environment(self.product),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        last: deque[str] = deque(maxlen=LAST_LINES)
        for line in self._group.stdout or ():
            last.append(line.rstrip())
            self.log.info("%s", last[-1])
        code = self._group.wait()
        if any("No module named portmesh" in line for line in last):
            raise AirflowException(
                f"portmesh is not installed in the Python {python}. Install the mesh's requirements there "
                "(tools/environment.sh run), or name another Python: PORTMESH_PYTHON."
            )
        return code, list(last)

    def on_kill(self) -> None:
        """Let portmesh cancel its statements and write its outcome, then end every process of the group."""
        group = self._group
        if group is None or group.poll() is not None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(group.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                group.wait(GRACE_SECONDS)


class BuildProduct(MeshOperator):
    """Builds a product, announces each new version of its ports, and fails if one was refused."""

    ui_color = "#dcebf7"

    def __init__(self, *, ports: Mapping[str, Mapping[str, Any]], late_after: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.late_after = late_after
        self.ports = {label: port["fqn"] for label, port in ports.items()}

    def execute(self, context: Any) -> None:
        late = lateness_of(self.product, self.target, self.late_after, context["dag_run"])
        with _outcome_file() as file, late:
            command = self._command(context)
            code, last = self.run_portmesh(
                *(*command, "--outcome", str(file), "--target", self.target),
                *(["--alert"] if os.environ.get("PORTMESH_ALERTS") else []),
            )
            outcome = _read_outcome(file)
        if outcome is None:
            raise AirflowException(
                f"portmesh build of {self.product} ended with exit code {code} before it could say what became of the "
                "ports. Nothing is half-published, and the next try goes on where this one stopped.\n" + "\n".join(last)
            )
        known = {label: port for label, port in outcome["ports"].items() if label in self.ports}
        events = list(_news(known, context["inlet_events"]))
        failure = _failure(self.product, outcome)
        if failure:
            context["ti"].xcom_push(key="events", value=events)
            raise failure
        _emit(self, context, events)

    def _command(self, context: Any) -> list[str]:
        params, run = context["params"], context["run_id"]
        run_type = getattr(context["dag_run"].run_type, "value", context["dag_run"].run_type)
        if run_type == "backfill":
            raise _wrong_request(
                "Airflow's own backfill would only repeat today's build. To fill in batches of a port, trigger "
                f"{self.product} with the parameters port and batches, or from and to."
            )
        port = params["port"]
        resume = ["--resume", f"{self.product}/{run}"]
        wanted = [f"--{key}={params[key]}" for key in ("batches", "from", "to") if params[key]]
        if wanted:
            if port == ALL:
                raise _wrong_request(
                    "The parameters batches, from and to are for one port, and port is all ports. Trigger "
                    f"{self.product} again and choose the port."
                )
            if params["full_refresh"]:
                raise _wrong_request(
                    "The parameters batches, from and to publish batches one by one, and full_refresh builds all rows "
                    f"again. Trigger {self.product} again with either."
                )
            return ["backfill", port, *wanted, *resume]
        command = ["build", "--select", f"package:{self.product}", *resume]
        if port != ALL:
            command[2] = f"+{self.ports[port]},package:{self.product}"
            command += [f"--exclude={fqn}" for label, fqn in self.ports.items() if label != port]
        if params["full_refresh"]:
            if params["confirm"] != self.product:
                raise _wrong_request(
                    "full_refresh builds every incremental port again from all of its rows. To confirm it, trigger "
                    f"{self.product} again with confirm = {self.product}; it was {params['confirm'] or 'empty'}."
                )
            command.append("--full-refresh")
        if str(run_type).endswith("_triggered"):
            return [*command, "--wait-for-inputs", "--only-new-inputs"]
        return [*command, "--wait-for-missing-inputs"]


class AnnounceRest(BaseOperator):
    """Announces the versions that a failed build published: a task that fails cannot tell Airflow of any event.

    A port of which something was announced since the build has nothing left.
    """

    ui_color = "#f7f1dc"

    def execute(self, context: Any) -> None:
        left = context["ti"].xcom_pull(task_ids="build", key="events") or []
        announced = context["inlet_events"]
        events = [one for one in left if _last_sequence(announced, one["port"]) == one["extra"]["follows"]]
        if not events:
            raise AirflowSkipException("The build published nothing new, or it is announced already.")
        _emit(self, context, events)


class UpkeepOfProduct(MeshOperator):
    """Removes what broken runs of a product left; on AWS, also compacts its tables and expires old versions."""

    def __init__(self, *, ports: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ports = list(ports)

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow's signature
        for command in ("clean", *(() if self.target == "local" else ("maintain",))):
            code, last = self.run_portmesh(command, *self.ports, "--target", self.target)
            if code:
                raise AirflowException(f"portmesh {command} of {self.product} failed.\n" + "\n".join(last))


def _target(engine: str) -> str:
    return os.environ.get("PORTMESH_TARGET") or engine


def _uri(label: str) -> str:
    """In ASCII: Airflow 2 takes nothing else."""
    return "portmesh://" + quote(label.replace(".", "/", 1))


def _place() -> tuple[str, str]:
    """The Python that has portmesh, and the folder of the mesh."""
    python, home = os.environ.get("PORTMESH_PYTHON", ""), os.environ.get("PORTMESH_HOME", "")
    if not shutil.which(python):
        got = f"is {python!r}, which does not exist" if python else "is not set"
        raise AirflowException(f"PORTMESH_PYTHON {got}. It names the Python of the environment that has portmesh.")
    if not Path(home, "dbt_project.yml").is_file():
        got = f"is {home!r}, which has no dbt_project.yml" if home else "is not set"
        raise AirflowException(f"PORTMESH_HOME {got}. It names the folder of the mesh's repository on this worker.")
    return python, home


def _environment(product: str) -> dict[str, str]:
    """The variables of the child: without Airflow's own, which have its secrets, and without colours.

    PORTMESH_PRODUCT is for a PORTMESH_PYTHON that takes on the product's role before it starts Python.
    """
    kept = {key: value for key, value in os.environ.items() if not re.match("_?AIRFLOW_", key)}
    return {
        **kept,
        "PORTMESH_PRODUCT": product,
        "NO_COLOR": "1",
        "DBT_USE_COLORS": "false",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def _outcome_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="portmesh_") as folder:
        yield Path(folder, "outcome.json")


def _read_outcome(file: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _news(ports: Mapping[str, Any], announced: Mapping[Any, Any]) -> Iterator[dict[str, Any]]:
    """The events of an outcome's ports: what each published since its last event, from earlier tries too."""
    for label, port in ports.items():
        last, listed = _last_sequence(announced, label), port.get("publications") or []
        new = _after(listed, last)
        if new:
            extra = {key: new[-1].get(key) for key in ("version", "sequence", "rows")}
            extra["versions"] = [one["version"] for one in new]
            begins_there = last in [one["sequence"] for one in listed]
            extra["is_complete"] = begins_there or not port.get("has_older_publications")
            extra["batches"] = _batches(new)
            yield {"port": label, "extra": {**extra, "follows": last}}


def _batches(publications: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """The batches of all of them; None if one of them does not know its batches, or has none."""
    known = [one.get("batches") for one in publications]
    return None if None in known else [name for names in known for name in names]


def _last_sequence(announced: Mapping[Any, Any], label: str) -> int | None:
    """The number of the last version of a port that was announced; None if it has no event.

    An event that somebody made by hand, or another DAG, has no number.
    """
    extras = (event.extra for event in newest_first(announced[port_asset(label)]))
    numbers = (extra.get("sequence") for extra in extras if isinstance(extra, Mapping))
    return next((number for number in numbers if type(number) is int), None)


def _after(publications: Sequence[Mapping[str, Any]], last: int | None) -> list[Mapping[str, Any]]:
    """The publications (oldest first) after the last announced; all, if the records began anew since then."""
    newest, told = max((one["sequence"] for one in publications), default=-1), -1 if last is None else last
    return [one for one in publications if one["sequence"] > told or newest < told]


def _wrong_request(message: str) -> Exception:
    """Only who triggered the run can mend it: no other try helps, and nobody else is told."""
    return _told(AirflowFailException(message))


def _told(error: Exception) -> Exception:
    """The error, which `tell_owner` need not tell."""
    error.is_told = True  # type: ignore[attr-defined]
    return error


def _failure(product: str, outcome: Mapping[str, Any]) -> Exception | None:
    """What the task has to raise. What would only be refused again is final; a build that broke is tried again."""
    ports, failed, errors = outcome["ports"], outcome.get("failed") or {}, outcome.get("errors") or {}
    if outcome["exit_code"] == WAITING:
        waits = [port["message"] for port in ports.values() if port["state"] == "waiting"]
        return AirflowSkipException("Nothing was built. " + " ".join(dict.fromkeys(waits)))
    if outcome["exit_code"] == 0:
        return None
    refused = {label for label, port in ports.items() if port["state"] == "refused"}
    texts = [*failed.values(), *errors.values()] or [f"{product} was not built; the log says why."]
    is_refused = bool(refused) and refused >= failed.keys() and not errors
    is_final = is_refused or outcome.get("is_request_wrong", False)
    return _told((AirflowFailException if is_final else AirflowException)("\n\n".join(texts)))


def tell_owner(product: str, target: str, context: Mapping[str, Any]) -> None:
    """Tell the product's owner of a task that failed, unless it was told already or need not know."""
    error = context.get("exception")
    if not getattr(error, "is_told", False):
        _tell(product, target, "--failure", str(error or "The process of the task was killed.").split("\n")[0])


@contextmanager
def lateness_of(product: str, target: str, late_after: int | None, run: Any) -> Iterator[None]:
    """Tell the product's owner once the run has taken longer than its group's late_after. The run goes on."""
    if not late_after:
        yield
        return
    left = late_after - (datetime.now(UTC) - run.start_date).total_seconds()
    what = f"The run takes longer than {late_after // 60:,} minutes (late_after of its group), and goes on."
    timer = Timer(max(left, 0), _tell, (product, target, "--late", what))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _tell(product: str, target: str, option: str, what: str) -> None:
    if not os.environ.get("PORTMESH_ALERTS"):
        return
    python, home = _place()
    subprocess.run(
        [python, "-m", "portmesh", "alert", "--product", product, option, what, "--target", target],
        cwd=home,
        env=_environment(product),
        stdin=subprocess.DEVNULL,
        timeout=ALERT_SECONDS,
        check=False,
    )


def _emit(operator: BaseOperator, context: Any, events: Sequence[Mapping[str, Any]]) -> None:
    """Tell Airflow of new versions: whatever reads these ports starts."""
    for event in events:
        operator.log.info("%s has the new version %s", event["port"], event["extra"]["version"])
        context["outlet_events"][operator.outlets[0]].add(port_asset(event["port"]), extra=event_extra(event["extra"]))


def _rhythm(product: Mapping[str, Any]) -> Any:
    cron = CronTriggerTimetable(product["schedule"], timezone="UTC") if product["schedule"] else None
    inputs = AssetAny(*map(port_asset, product["inputs"])) if product["on_inputs"] else None
    return assets_or_time(inputs, cron) if inputs and cron else inputs or cron


def _params(name: str, product: Mapping[str, Any]) -> dict[str, Param]:
    text, day = {"type": ["null", "string"]}, {"type": ["null", "string"], "format": "date"}
    batches, which_day = "Publish batches of one port, one by one", "a batch's day is that of its name or its landing"
    return {
        "port": Param(ALL, type="string", enum=[ALL, *product["ports"]], description="Build this port only."),
        "full_refresh": Param(False, type="boolean", description="Build incremental ports again from all their rows."),
        "confirm": Param(None, **text, description=f"Confirms full_refresh: the product's name, {name}."),
        "batches": Param(None, **text, description=f"{batches}: these, separated by commas."),
        "from": Param(None, **day, description=f"{batches}: from this day on ({which_day})."),
        "to": Param(None, **day, description=f"{batches}: up to this day ({which_day})."),
    }


def _page(name: str, product: Mapping[str, Any]) -> str:
    """The DAG's page in Airflow."""
    ways = ["a new version of one of its inputs"] if product["on_inputs"] else []
    ways += [f"the clock, at `{product['schedule']}` (UTC)"] if product["schedule"] else []
    ports = [f"- **{label}**: {port['description']}" for label, port in product["ports"].items()]
    return "\n".join(
        (
            f"# {name}\n\n{product['description']} {product['purpose']}\n",
            f"Owner: {product['owner']} ({product['email']}), {product['channel']}\n",
            f"Started by {' or '.join(ways) or 'hand only'}.\n",
            f"Inputs: {', '.join(product['inputs']) or 'no port of another product'}.\n\n## Ports\n",
            *ports,
        )
    )


def _dag(dag_id: str, name: str, product: Mapping[str, Any], schedule: Any, **kwargs: Any) -> DAG:
    about = [product["kind"], product["stage"], product["engine"], product["channel"]]
    return DAG(
        dag_id,
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=["portmesh", *(tag[:LONGEST_TAG] for tag in about if tag)],
        default_args={
            "owner": product["owner"] or "airflow",
            "retries": product["retries"],
            "execution_timeout": timedelta(seconds=product["timeout_seconds"]),
            "on_failure_callback": partial(tell_owner, name, _target(product["engine"])),
        },
        **kwargs,
    )


def dag_of_product(name: str, product: Mapping[str, Any]) -> DAG:
    """Build; then, after a failure, announce what was published all the same. `published` makes the run fail."""
    with _dag(
        *(name, name, product, _rhythm(product)),
        description=product["description"],
        doc_md=_page(name, product),
        params=_params(name, product),
    ) as dag:
        engine, ports = product["engine"], [port_asset(label) for label in product["ports"]]
        build = BuildProduct(
            task_id="build",
            product=name,
            made_from=product["hash"],
            engine=engine,
            ports=product["ports"],
            late_after=product["late_after_seconds"],
            pool=_pool(engine),
            priority_weight=10 + product["read_by"],
            inlets=ports,
            outlets=[AssetAlias(name)],
        )
        announce = AnnounceRest(
            task_id="announce_despite_failure", trigger_rule="one_failed", inlets=ports, outlets=[AssetAlias(name)]
        )
        build >> [announce, EmptyOperator(task_id="published")]
    return dag


def dag_of_upkeep(name: str, product: Mapping[str, Any]) -> DAG:
    """What keeps the product's tables small."""
    with _dag(
        *(name + UPKEEP, name, product, CronTriggerTimetable(product["upkeep"], timezone="UTC")),
        description=f"Upkeep of {name}",
    ) as dag:
        engine = product["engine"]
        UpkeepOfProduct(
            task_id="upkeep",
            product=name,
            made_from=product["hash"],
            engine=engine,
            ports=list(product["ports"]),
            pool=_pool(engine),
        )
    return dag


def _pool(engine: str) -> str:
    return f"portmesh_{_target(engine)}"


def make_dags() -> dict[str, DAG]:
    """All DAGs; in a worker, only the one that it runs."""
    products, wanted = read_schedule(), get_parsing_context().dag_id
    made = {
        **{name: (dag_of_product, name) for name in products},
        **{name + UPKEEP: (dag_of_upkeep, name) for name, product in products.items() if product["upkeep"]},
    }
    if wanted is not None and wanted not in made:
        raise ScheduleError(
            f"The schedule {FILE} has no product for the DAG {wanted}: it was deployed after this run began."
        )
    return {dag_id: make(name, products[name]) for dag_id, (make, name) in made.items() if wanted in (None, dag_id)}


globals().update(make_dags())
