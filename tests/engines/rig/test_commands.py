"""`python -m rig` finds, repairs and stops the rig's own processes, and no others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.rig_client import REPOSITORY, Rig

PYTHON = REPOSITORY / ".venv-rig/bin/python"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Rig]:
    """The home of a new rig. Whatever a test starts in it is stopped."""
    used = Rig(tmp_path / "home")
    yield used
    used.command("down")


def state(rig: Rig) -> dict[str, Any]:
    return dict(json.loads((rig.home / "state.json").read_text())["servers"])


def client(rig: Rig, service: str) -> Any:
    values = rig.variables()
    return boto3.client(
        service,
        endpoint_url=values["AWS_ENDPOINT_URL"],
        region_name=values["AWS_REGION"],
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
    )


def failing(rig: Rig, *arguments: str, **environment: str) -> str:
    """Run a command that must fail. Returns its output."""
    done = subprocess.run(
        [PYTHON, "-m", "rig", *arguments, "--home", rig.home],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done
    return done.stdout + done.stderr


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()


def test_a_rig_is_started_found_repaired_and_stopped(own: Rig) -> None:
    own.command("up", "athena")
    first = state(own)
    assert list(first) == ["endpoint", "trino"]
    client(own, "glue").create_database(DatabaseInput={"Name": "kept"})

    assert "runs" in own.command("up", "athena")
    assert state(own) == first

    # After a kill, `status` says so, and `up` starts the engine again on the same ports with all its data.
    os.kill(first["trino"]["pid"], signal.SIGKILL)
    assert "ended" in failing(own, "status")
    own.command("up", "athena")
    second = state(own)
    assert second["trino"]["pid"] != first["trino"]["pid"]
    assert second["trino"]["ports"] == first["trino"]["ports"]
    assert second["endpoint"] == first["endpoint"]
    assert client(own, "glue").get_database(Name="kept")["Database"]["Name"] == "kept"

    own.command("restart", "athena")
    assert state(own)["trino"]["pid"] != second["trino"]["pid"]
    assert not is_running(second["trino"]["pid"])

    # The endpoint keeps everything in memory, so without it everything starts empty.
    os.kill(first["endpoint"]["pid"], signal.SIGKILL)
    assert "all tables and files with it" in own.command("up", "athena")
    assert [found["Name"] for found in client(own, "glue").get_databases()["DatabaseList"]] == ["default"]

    pids = [server["pid"] for server in state(own).values()]
    assert all(is_running(pid) for pid in pids)
    assert "MB" in own.command("status")
    own.command("down")
    assert not any(is_running(pid) for pid in pids)
    assert sorted(path.name for path in own.home.iterdir()) == ["logs"]
    assert sorted(path.name for path in (own.home / "logs").iterdir()) == ["endpoint.log", "trino.log"]


def test_nothing_runs(own: Rig) -> None:
    assert "Nothing runs" in own.command("status")
    assert "No rig has been started" in own.command("down")
    assert "Nothing runs" in failing(own, "env")
    assert "There is no engine 'spark'; allowed: emr, athena." in failing(own, "up", "spark")


def test_a_process_that_has_the_id_of_an_old_one_is_left_alone(own: Rig) -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        own.home.mkdir()
        stale = {"servers": {"trino": {"pid": other.pid, "started": 1.0, "ports": {"http": 1}}}}
        (own.home / "state.json").write_text(json.dumps(stale))
        assert "ended" in failing(own, "status")
        own.command("down")
        assert is_running(other.pid)
        other.kill()


def test_maven_is_asked_for(own: Rig, tmp_path: Path) -> None:
    environment = {"PORTMESH_RIG_ARTEFACTS": str(tmp_path / "empty"), "PATH": str(tmp_path)}
    assert "apt install maven" in failing(own, "up", "athena", **environment)


def test_all_of_it_listens_on_this_machine_only(rig: Rig) -> None:
    ports = {port for server in state(rig).values() for port in server["ports"].values()}
    addresses = _listening(ports)
    assert len(addresses) == len(ports)
    assert {address for address, _ in addresses} == {"127.0.0.1"}


def _listening(ports: set[int]) -> set[tuple[str, int]]:
    """The address and port of every socket that listens on one of these ports, from the kernel's tables."""
    found = set()
    for table, size in (("tcp", 8), ("tcp6", 32)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, status = line.split()[1], line.split()[3]
            address, port = local.split(":")
            if status == "0A" and int(port, 16) in ports:
                words = [address[i : i + 8] for i in range(0, size, 8)]
                loopback = words[-1] == "0100007F" and (table == "tcp" or words[2] in ("FFFF0000",))
                found.add(("127.0.0.1" if loopback else address, int(port, 16)))
    return found


def test_spark_shows_what_a_statement_read(rig: Rig) -> None:
    page = f"{rig.variables()['PORTMESH_SPARK_UI']}/api/v1/applications"
    with urllib.request.urlopen(page) as answer:
        applications = json.load(answer)
    assert len(applications) == 1
    with urllib.request.urlopen(f"{page}/{applications[0]['id']}/executors") as answer:
        assert "totalInputBytes" in json.load(answer)[0]


def test_the_endpoint_of_another_rig_is_not_taken_for_its_own(rig: Rig, tmp_path: Path) -> None:
    port = state(rig)["endpoint"]["ports"]["http"]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/endpoint.log").write_text("Address already in use")
    code = f"""
from pathlib import Path
from rig.home import Home, Server
from rig.servers import wait_for_endpoint
ended = Server(pid=2**22 + 1, started=0, ports={{"http": {port}}})
wait_for_endpoint(Home(Path({str(tmp_path)!r}), {{"endpoint": ended}}), ended)
"""
    done = subprocess.run([PYTHON, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "The AWS endpoint ended before it was ready." in done.stderr
    assert "Address already in use" in done.stderr
