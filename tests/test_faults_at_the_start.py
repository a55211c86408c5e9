"""A run that cannot reach its engine says so in a sentence before its first node. These tests need no rig."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portmesh.aws import MEANINGS
from portmesh.engine_faults import OF_SPARK, SPARK_AWAY, SPARK_IN_OTHER_WORDS, SPARK_REFUSES, meaning_of_fault
from tests.mesh import Mesh
from tests.portmesh_call import captured
from tests.test_output_port import COLUMNS, EXEMPT, LINES

NOWHERE = "http://127.0.0.1:1"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
Answers = Callable[[str], tuple[int, dict[str, object]]]


@contextmanager
def aws_that(answers: Answers) -> Iterator[str]:
    """The address of a fake AWS that answers an operation with a status and JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answers((self.headers.get("X-Amz-Target") or "").rpartition(".")[2])
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def refused(code: str, message: str) -> Answers:
    return lambda _: (400, {"__type": code, "message": message})


def refused_by_athena(message: str) -> Answers:
    """Glue answers that it has no database; Athena refuses the first statement."""
    statement = (400, {"__type": "InvalidRequestException", "message": message})
    return lambda operation: statement if operation == "StartQueryExecution" else (200, {"DatabaseList": []})


def mesh_on(target: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    for name in KEYS:
        monkeypatch.setenv(name, "portmesh")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    monkeypatch.setenv("PORTMESH_SPARK_PORT", "1")
    mesh = Mesh(folder, target)
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    assert mesh.dbt("deps").ok
    return mesh


def assert_said(mesh: Mesh, sentence: str, where: str, next_step: str, *command: str) -> None:
    said = mesh.dbt(*command).output
    told = said[said.index("Encountered an error:") :]
    assert f"{sentence} dbt {command[0]} stopped before its first node: nothing was published.\n" in told, said
    assert f"    where   {where}" in told
    assert f"    next    {next_step}" in told
    assert "Traceback" not in said


ON_ATHENA: dict[str, tuple[dict[str, str | None], Answers | None, str, str]] = {
    "expired": (
        *({}, refused("ExpiredTokenException", "The security token included in the request is expired")),
        *("AWS rejected the credentials.", "renew them: set AWS_ACCESS_KEY_ID"),
    ),
    "no credentials": (dict.fromkeys(KEYS), None, "No AWS credentials were found.", "set AWS_ACCESS_KEY_ID and"),
    "no such profile": (
        *({"AWS_PROFILE": "nobody"}, None, "No AWS credentials were found.", "set AWS_ACCESS_KEY_ID and"),
    ),
    "no endpoint": ({}, None, "AWS cannot be reached.", "check the network, AWS_REGION and AWS_ENDPOINT_URL, then the"),
    "no such region": (
        *({"AWS_ENDPOINT_URL": None, "AWS_REGION": "nowhere-1"}, None),
        *("AWS cannot be reached.", "check the network, AWS_REGION and"),
    ),
    "a proxy that is away": (
        *({"AWS_ENDPOINT_URL": None, "HTTPS_PROXY": NOWHERE}, None),
        *("The proxy blocked the request to AWS.", "check HTTPS_PROXY, and NO_PROXY"),
    ),
    "no right": (
        *({}, refused("AccessDeniedException", "is not authorized to perform: glue:GetDatabases")),
        *("AWS does not allow this with your credentials.", "ask for access to the lake's bucket"),
    ),
    "no work group": (
        *({}, refused_by_athena("WorkGroup portmesh-shop is not found.")),
        *("Athena has no such work group in this region.", "set PORTMESH_ATHENA_WORKGROUP and AWS_REGION"),
    ),
    "no bucket": (
        *({}, refused_by_athena("Unable to verify/create output bucket portmesh-lake")),
        *("The lake's bucket does not exist.", "name another: --lake s3://BUCKET, or set PORTMESH_S3_LAKE"),
    ),
}


@pytest.mark.parametrize("case", ON_ATHENA)
@pytest.mark.thorough
def test_a_build_on_athena(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables, answers, sentence, next_step = ON_ATHENA[case]
    mesh = mesh_on("athena", tmp_path, monkeypatch)
    with aws_that(answers or refused("", "")) as address:
        if answers:
            monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        for name, value in variables.items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
        region = variables.get("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_REGION", region or "")
        assert_said(mesh, sentence, f"athena, {region}, primary, s3://portmesh-lake", next_step, "build")


@pytest.mark.parametrize("command", ["build", "test", "compile"])
def test_a_spark_server_that_is_not_there(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = mesh_on("emr", tmp_path, monkeypatch)
    next_step = "start it, or check PORTMESH_SPARK_HOST and PORTMESH_SPARK_PORT, then the same command"
    assert_said(mesh, "The engine cannot be reached.", "spark, 127.0.0.1, 1", next_step, command)


@pytest.mark.thorough
def test_the_kits_commands_say_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh = mesh_on("athena", tmp_path, monkeypatch)
    monkeypatch.chdir(mesh.folder)
    portmesh = captured(capsys)
    commands = (["status"], ["clean"], ["maintain"], ["rollback", "shop.lines"], ["retire", "shop.old"])
    for command in [*commands, ["rename", "shop.old", "shop.lines"]]:
        told = portmesh(*command)
        assert told.exit_code == 2, command
        assert told.err.startswith("AWS cannot be reached.\n"), (command, told.err)
        assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("failed to connect: TTransportException: Could not connect to any of [('10.0.0.1', 10001)]", SPARK_AWAY),
        ("failed to connect: TTransportException: Bad status: 3 (b'Error validating the login')", SPARK_REFUSES),
        ("failed to connect: TTransportException: TSocket read 0 bytes", SPARK_IN_OTHER_WORDS),
        ("failed to connect: SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number", SPARK_IN_OTHER_WORDS),
        ("shop.lines was not rolled back: An error occurred (AccessDenied) when calling PutObject", None),
        ("Database Error in model lines: [TABLE_OR_VIEW_NOT_FOUND] no such table", None),
    ],
)
def test_what_a_text_of_spark_means(text: str, meaning: object) -> None:
    assert meaning_of_fault(text) == meaning
    assert len({one.message for one in (*MEANINGS, *OF_SPARK)}) == len(MEANINGS) + len(OF_SPARK)


@pytest.mark.parametrize("name", ["SSO session store", "No space left on device"])
def test_what_a_rule_finds_is_no_fault_whatever_names_stand_in_it(mesh: Mesh, name: str) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=f"consumers: [{{name: {name}, purpose: ''}}]")
    mesh.land("lines", "select 1 as line_id")
    assert mesh.dbt("deps").ok
    refused = mesh.dbt("compile")
    assert not refused.ok
    assert f"A consumer of shop.lines ({name}) has no purpose." in refused.output
    assert "stopped before its first node" not in refused.output
