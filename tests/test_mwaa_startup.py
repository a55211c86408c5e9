"""MWAA's startup script on a worker: stand-ins replace S3 and the environment's Python, everything else is real."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.mesh import REPOSITORY

SCRIPT = REPOSITORY / "infra/mwaa/startup.sh"
COMMIT = "c37d5371111111111111111111111111111111ff"

# A bucket is a folder. An object's version is the name of the one file in its folder.
AWS = """#!/usr/bin/env bash
[ "$1" = s3api ] || exit 64
object="$S3/$4/$6"
[ -d "$object" ] || { echo "An error occurred (404) when calling the HeadObject operation: Not Found" >&2; exit 254; }
case "$2" in
  head-object) ls "$object" ;;
  get-object) echo get >> "$S3/calls"; cp "$object/$8" "$9" ;;
esac
"""

# Makes an environment without installing anything. Its pip does what the file `pip` says.
PYTHON = """#!/usr/bin/env bash
[ "$1 $2" = "-m venv" ] || exec "$REAL" "$@"
mkdir -p "$3/bin"
cat > "$3/bin/python" <<'STAND_IN'
#!/usr/bin/env bash
[ "$1 $2" = "-m pip" ] || exec "$REAL" "$@"
echo pip >> "$S3/calls"
case "$(cat "$S3/pip")" in
  fails) echo "ERROR: No matching distribution found for dbt-core" >&2; exit 1 ;;
  slow) sleep 30 ;;
  *) sleep 0.3 ;;
esac
STAND_IN
chmod +x "$3/bin/python"
"""

# How MWAA runs the script: it sources it, `exit` stands for its own function, and then keeps the variables.
MWAA = """
shopt -s expand_aliases
keep() { env -0 > "$KEPT"; command builtin exit 0; }
alias exit=keep
source "$HOME/startup.sh"
keep
"""

# What a release contains instead of a mesh: it says how it was called.
SAYS = """
import json, os, sys
told = {name: value for name, value in os.environ.items() if name.startswith(("PORTMESH_", "AWS_", "DBT_"))}
print(json.dumps({"arguments": sys.argv[1:], "cwd": os.getcwd(), **told}))
"""
DEPS = "import pathlib\n\n\ndef cli():\n    pathlib.Path('dbt_packages').mkdir()\n"


def write_archive(path: Path, content: Mapping[str, str], links: Mapping[str, str] = MappingProxyType({})) -> None:
    """An archive as `git archive` makes it, with the commit in its header."""
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": COMMIT}) as archive:
        for name, text in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
        for name, place in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, place
            archive.addfile(entry)


@dataclass
class Worker:
    """A worker's home, and the bucket that it reads."""

    home: Path
    s3: Path
    variables: dict[str, str]

    def release(self, version: str, requirements: str = "dbt-core==1.11.16\n", **files: str) -> None:
        """Upload a release as `git archive` makes it."""
        folder = self.s3 / "bucket/portmesh.tar.gz"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        content = {
            "dbt_project.yml": "name: portmesh\n",
            "requirements.txt": requirements,
            "src/portmesh/__main__.py": SAYS,
            "src/dbt/cli/main.py": DEPS,
            **files,
        }
        write_archive(folder / version, content, {"linked.yml": "dbt_project.yml"})

    def start(self, component: str = "worker", **variables: str) -> tuple[str, dict[str, str]]:
        """Run the script as MWAA does. Returns its log, and the variables that Airflow then has."""
        kept = self.home / "kept"
        kept.unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", "-c", MWAA],
            env={**self.variables, "MWAA_AIRFLOW_COMPONENT": component, "KEPT": str(kept), **variables},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
        return done.stdout, {name: value for name, _, value in pairs}

    def task(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a task as portmesh_dags.py does."""
        _, airflow = self.start("webserver")
        return subprocess.Popen(
            [airflow["PORTMESH_PYTHON"], "-m", "portmesh", *arguments],
            env={**airflow, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        task = self.task(*arguments, **variables)
        out, err = task.communicate(timeout=60)
        return task.returncode, out, err

    def calls(self) -> list[str]:
        return (self.s3 / "calls").read_text().split() if (self.s3 / "calls").exists() else []


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    home, s3, tools = tmp_path / "home", tmp_path / "s3", tmp_path / "tools"
    for folder in (home, s3, tools):
        folder.mkdir()
    shutil.copy(SCRIPT, home / "startup.sh")
    for name, text in (("aws", AWS), ("python3", PYTHON)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (s3 / "pip").write_text("works")
    variables = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(home),
        "S3": str(s3),
        "REAL": shutil.which("python3", path=os.environ["PATH"]) or "python3",
        "AIRFLOW__PORTMESH__RELEASE": "s3://bucket/portmesh.tar.gz",
        "AIRFLOW__PORTMESH__S3_LAKE": "s3://acme-lake",
        "AIRFLOW__PORTMESH__ROLES": "arn:aws:iam::123456789012:role/portmesh-",
        "AIRFLOW__PORTMESH__SPARK_HOST__ORDERS": "spark-of-orders",
    }
    found = Worker(home, s3, variables)
    found.release("v1")
    return found


def test_a_worker_is_ready_before_its_first_task(worker: Worker) -> None:
    log, airflow = worker.start()
    assert "Fetching the release v1 of the mesh." in log
    assert airflow["PORTMESH_S3_LAKE"] == "s3://acme-lake"
    assert Path(airflow["PORTMESH_HOME"], "dbt_project.yml").is_file(), "portmesh_dags.py asks for it"
    assert os.access(airflow["PORTMESH_PYTHON"], os.X_OK)
    assert worker.calls() == ["get", "pip"]
    log, _ = worker.start()
    assert (log, worker.calls()) == ("", ["get", "pip"]), "the second time there is nothing to do"
    code, out, _ = worker.run("status")
    assert (code, json.loads(out)["arguments"], worker.calls()) == (0, ["status"], ["get", "pip"])


@pytest.mark.parametrize("component", ["scheduler", "webserver"])
def test_other_components_install_nothing(worker: Worker, component: str) -> None:
    log, airflow = worker.start(component)
    assert (log, worker.calls()) == ("", [])
    assert airflow["PORTMESH_S3_LAKE"] == "s3://acme-lake"


def test_a_task_runs_the_release_with_its_products_role(worker: Worker) -> None:
    code, out, err = worker.run("build", "--select", "package:orders", PORTMESH_PRODUCT="orders")
    assert code == 0, err
    told = json.loads(out.splitlines()[-1])
    assert told["arguments"] == ["build", "--select", "package:orders"]
    assert told["cwd"] == told["PORTMESH_HOME"] == str(worker.home / "portmesh/releases/v1")
    assert told["PORTMESH_COMMIT"] == COMMIT
    assert Path(told["cwd"], "linked.yml").is_symlink(), "profiles.yml of the mesh is one"
    assert (told["AWS_PROFILE"], told["DBT_CACHE_SELECTED_ONLY"]) == ("mesh", "true")
    assert Path(told["AWS_CONFIG_FILE"]).read_text() == (
        "[profile mesh]\nrole_arn = arn:aws:iam::123456789012:role/portmesh-orders\n"
        "role_session_name = airflow\ncredential_source = EcsContainer\n"
    )
    assert told["PORTMESH_ATHENA_WORKGROUP"] == "portmesh-orders"
    assert told["PORTMESH_SPARK_HOST"] == "spark-of-orders"
    _, out, _ = worker.run("build", PORTMESH_PRODUCT="desk")
    assert "PORTMESH_SPARK_HOST" not in json.loads(out), "the profile's default"
    _, out, _ = worker.run("status")
    assert "AWS_PROFILE" not in json.loads(out), "without a product, with the execution role's own rights"


def test_a_product_with_models_in_python_gets_pyspark(worker: Worker) -> None:
    model = {"domains/orders/models/output_ports/pairs.py": "", "requirements-pyspark.txt": "pyspark==3.5.9\n"}
    worker.release("v1", **model)
    _, out, _ = worker.run("build", PORTMESH_PRODUCT="desk")
    assert "PORTMESH_PYSPARK_PYTHON" not in json.loads(out)
    assert worker.calls() == ["get", "pip"]
    _, out, err = worker.run("build", PORTMESH_PRODUCT="orders")
    assert "Installing an environment for requirements-pyspark.txt" in err
    python = Path(json.loads(out)["PORTMESH_PYSPARK_PYTHON"])
    assert (python.parents[1] / "complete").is_file()
    assert worker.calls() == ["get", "pip", "pip"]
    _, out, _ = worker.run("build", PORTMESH_PRODUCT="orders", PORTMESH_PYSPARK_PYTHON="/mine")
    assert json.loads(out)["PORTMESH_PYSPARK_PYTHON"] == "/mine"
    assert worker.calls() == ["get", "pip", "pip"]


def test_the_next_task_runs_the_next_release(worker: Worker) -> None:
    assert worker.run("status")[0] == 0
    worker.release("v2")
    _, out, _ = worker.run("status")
    assert json.loads(out)["cwd"].endswith("/v2")
    assert worker.calls() == ["get", "pip", "get"], "with the same requirements nothing is installed"
    assert (worker.home / "portmesh/releases/v1").is_dir(), "a run may still use it"
    worker.release("v3", requirements="dbt-core==1.11.17\n")
    os.utime(worker.home / "portmesh/releases/v1", (0, 0))
    _, out, _ = worker.run("status")
    assert json.loads(out)["cwd"].endswith("/v3")
    assert worker.calls() == ["get", "pip", "get", "get", "pip"]
    assert not (worker.home / "portmesh/releases/v1").exists()


def test_tasks_at_the_same_time_install_once(worker: Worker) -> None:
    tasks = [worker.task("status") for _ in range(3)]
    assert [task.wait(60) for task in tasks] == [0, 0, 0]
    assert worker.calls() == ["get", "pip"]


def test_after_a_kill_the_next_task_goes_on(worker: Worker) -> None:
    (worker.s3 / "pip").write_text("slow")
    task = worker.task("status")
    until = time.monotonic() + 30
    while "pip" not in worker.calls() and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(task.pid, signal.SIGKILL)
    task.communicate()
    (worker.s3 / "pip").write_text("works")
    assert worker.run("status")[0] == 0
    assert worker.calls() == ["get", "pip", "pip"]


def no_option(worker: Worker) -> None:
    del worker.variables["AIRFLOW__PORTMESH__RELEASE"]


def no_upload(worker: Worker) -> None:
    shutil.rmtree(worker.s3 / "bucket")


def no_versions(worker: Worker) -> None:
    worker.release("None")


def no_archive(worker: Worker) -> None:
    (worker.s3 / "bucket/portmesh.tar.gz/v1").write_text("half")


def no_mesh(worker: Worker) -> None:
    write_archive(worker.s3 / "bucket/portmesh.tar.gz/v1", {"README.md": ""})


def no_index(worker: Worker) -> None:
    (worker.s3 / "pip").write_text("fails")


def no_time(worker: Worker) -> None:
    (worker.s3 / "pip").write_text("slow")
    worker.variables["PORTMESH_SECONDS"] = "1"


def no_packages(worker: Worker) -> None:
    worker.release("v1", **{"src/dbt/cli/main.py": "def cli():\n    raise SystemExit('no package orders')\n"})


@pytest.mark.parametrize(
    ("fault", "said", "advised"),
    [
        (no_option, "The environment has no option portmesh.release", "deploy infra/mwaa.yaml"),
        (no_upload, "The release of the mesh cannot be read: s3://bucket/portmesh.tar.gz.", "upload it"),
        (
            no_versions,
            "The bucket of s3://bucket/portmesh.tar.gz keeps no versions.",
            "use the bucket of infra/mwaa.yaml",
        ),
        (no_archive, "(version v1) is not a release of a mesh", "git archive --format=tar.gz"),
        (no_mesh, "(version v1) is not a release of a mesh", "git archive --format=tar.gz"),
        (no_index, "The mesh's requirements could not be installed; pip's error is above.", "route to a package index"),
        (no_time, "pip did not finish within 1 seconds.", "a larger environment class"),
        (no_packages, "dbt deps failed in the release v1; its error is above.", ""),
    ],
)
def test_what_is_missing_is_said_and_airflow_starts(
    worker: Worker, fault: Callable[[Worker], None], said: str, advised: str
) -> None:
    fault(worker)
    log, airflow = worker.start()
    assert said in log
    assert advised in log
    assert log.endswith("Airflow starts all the same: each task tries it again, and says what is missing.\n")
    assert os.access(airflow["PORTMESH_PYTHON"], os.X_OK), "MWAA keeps the variables"
    assert Path(airflow["PORTMESH_HOME"], "dbt_project.yml").is_file(), "or the task would not even try it"
    code, out, err = worker.run("status")
    assert (code, out) == (3, "")
    assert said in err
    assert "Traceback" not in err
