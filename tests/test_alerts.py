"""A refusal and a failed run reach the owner's channel, once for a cause."""

from __future__ import annotations

import json
import re
import socketserver
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from portmesh.alerts.causes import Alert, alerts_of, failure, mended
from portmesh.alerts.sending import Sender, open_memory
from portmesh.production import PROD
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh
from tests.test_output_port import DUPLICATE, good

SECRET = "5ecret-t0ken"


class Webhook:
    """A web server on loopback that keeps what was posted."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.server.server_port}/hook/{SECRET}"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty lake, which keeps what was told."""
    monkeypatch.setenv("PORTMESH_LAKE", str(tmp_path / "lake"))
    return tmp_path / "lake"


def channels(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Write the file of channels, and name it."""
    (folder / "channels.yml").write_text(text)
    monkeypatch.setenv("PORTMESH_ALERTS", str(folder / "channels.yml"))


def port(state: str, message: str = "", checks: tuple[str, ...] = ()) -> dict[str, Any]:
    version = {"version": "v1", "published_at": "2026-11-26T06:12:00Z", "rows": 100}
    return {"state": state, "message": message, "failed_checks": list(checks), "consumers_read": version}


def outcome(ports: dict[str, Any], **more: Any) -> dict[str, Any]:
    products = sorted({label.split(".")[0] for label in ports})
    nothing = {"is_request_wrong": False, "failed": {}, "waits_for": {}, "errors": {}}
    return {"products": products, "ports": ports, **nothing, **more}


# What there is to tell


def test_a_refusal_is_told_in_its_own_words_and_once_for_its_cause() -> None:
    refused = outcome({"shop.lines": port("refused", "shop.lines was not published. Why.", ("unique of line_id",))})
    (alert,) = alerts_of(refused)
    assert (alert.title, alert.body) == ("shop.lines was not published", "shop.lines was not published. Why.")
    (same,) = alerts_of(outcome({"shop.lines": port("refused", "At another time.", ("unique of line_id",))}))
    (other,) = alerts_of(outcome({"shop.lines": port("refused", "Why.", ("not_null of line_id",))}))
    assert alert.cause == same.cause != other.cause


def test_what_waits_and_what_is_well_tell_nobody() -> None:
    well = outcome({"shop.lines": port("unchanged"), "shop.days": port("published"), "shop.more": port("waiting")})
    assert alerts_of(well) == []
    assert mended(well) == {"shop.lines", "shop.days", "shop models", "shop run", "shop late"}


def test_a_wrong_request_tells_nobody() -> None:
    unknown = outcome({"shop.lines": port("not_built")}, errors={"emr": "There is no batch 'a'."})
    assert alerts_of(unknown)
    assert alerts_of(unknown | {"is_request_wrong": True}) == []


def test_a_failed_model_is_told_with_what_consumers_read() -> None:
    ports = {"shop.lines": port("waiting")}
    (alert,) = alerts_of(outcome(ports, failed={"shop.step": "No column x."}, waits_for={"shop.lines": ["shop.step"]}))
    assert alert.title == "shop: 1 model or test failed"
    assert alert.body == (
        "shop.step: No column x.\n\n"
        "shop.lines: consumers read the version of 26 Nov 06:12 UTC (100 rows).\n\n"
        "next   portmesh build --select package:shop"
    )


def test_a_cause_is_the_same_in_each_run() -> None:
    assert failure("shop", "Timeout, PID: 7", {}).cause == failure("shop", "Timeout, PID: 12", {}).cause
    broken = [outcome({"shop.lines": port("failed", f"No answer to query {id_}.")}) for id_ in ("a7", "b8")]
    assert alerts_of(broken[0])[0].cause == alerts_of(broken[1])[0].cause
    assert alerts_of(outcome({"shop.lines": port("failed", "No table.")}))[0].cause != alerts_of(broken[0])[0].cause


def test_a_refused_port_does_not_keep_the_runs_fault_in_memory() -> None:
    refused = outcome({"shop.lines": port("refused")}, failed={"shop.lines": "Why."})
    assert mended(refused) == {"shop models", "shop run", "shop late"}
    assert mended(outcome({"shop.lines": port("waiting")}, failed={"shop.step": "Why."})) == {"shop run", "shop late"}
    assert mended(outcome({"shop.lines": port("not_built")}, errors={"emr": "Away."})) == set()


def test_records_that_were_not_read_are_no_statement() -> None:
    unread = port("not_built")
    del unread["consumers_read"]
    (alert,) = alerts_of(outcome({"shop.lines": unread}, errors={"emr": "The engine cannot be reached."}))
    assert "The engine cannot be reached." in alert.body
    assert "consumers read" not in alert.body


def test_a_run_that_could_not_begin_tells_each_product() -> None:
    ports = {"shop.lines": port("not_built"), "desk.notes": port("not_built")}
    told = alerts_of(outcome(ports, errors={"emr": "The engine cannot be reached."}))
    assert [alert.product for alert in told] == ["desk", "shop"]
    assert told[1].body.startswith("The engine cannot be reached.\n\nshop.lines: consumers read the version of ")


# Sending


def of_a_cause(cause: str, body: str = "What happened.") -> Alert:
    return Alert("shop", "shop.lines", cause, "shop.lines was not published", body)


def test_a_cause_is_told_once_until_it_is_mended(
    webhook: Webhook, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels(tmp_path, monkeypatch, f'"#shop": "{webhook.url}"')
    for cause, well, posts in (("a", (), 1), ("a", (), 1), ("b", (), 2), ("", ("shop.lines",), 2), ("b", (), 3)):
        sender = Sender("local", PROD, {"shop": "#shop"})
        sender.send([of_a_cause(cause)] if cause else [], well)
        assert (sender.faults, len(webhook.posted)) == ([], posts)
    assert (lake / ".portmesh" / "alerts" / "shop.json").exists()


@pytest.mark.usefixtures("lake")
def test_an_environment_silences_no_other(webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channels(tmp_path, monkeypatch, f"default: {webhook.url}")
    for environment in (PROD, "ci", "ci", PROD):
        Sender("local", environment, {"shop": ""}).send([of_a_cause("a")])
    assert [posted["title"] for posted in webhook.posted] == [
        "shop.lines was not published",
        "shop.lines was not published (environment ci)",
    ]
    Sender("local", "ci", {"shop": ""}).send([], ["shop.lines"])
    Sender("local", PROD, {"shop": ""}).send([of_a_cause("a")])
    assert len(webhook.posted) == 2


def test_what_was_told_is_kept_where_the_environments_role_writes(monkeypatch: pytest.MonkeyPatch, lake: Path) -> None:
    monkeypatch.setenv("PORTMESH_S3_LAKE", "s3://lake")
    assert open_memory("athena", PROD).where == "s3://lake/portmesh/alerts"
    assert open_memory("emr", "ci").where == "s3://lake/ci__portmesh/alerts"
    assert open_memory("local", "../ci").where == str(lake / ".portmesh" / "___ci__alerts")


@pytest.mark.usefixtures("lake")
def test_text_of_data_calls_nobody(webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channels(tmp_path, monkeypatch, f'default: ["{webhook.url}"]')
    body = "<!channel> @here <https://evil.example|the catalog> <b>1 < 2</b> shop@example.com"
    Sender("local", PROD, {"shop": ""}).send([of_a_cause("a", body)])
    (posted,) = webhook.posted
    assert not re.search(r"<!|@here|<https", posted["message"])
    assert "<b>1 < 2</b> shop@example.com" in posted["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("default: json://user:{secret}@127.0.0.1:1/{secret}", "The service did not take the message."),
        ("default: nosuch://{secret}", "A URL of the channel is none that apprise knows."),
        ('"#other": json://{secret}', "PORTMESH_ALERTS has no URL for the channel, and no default."),
        ("- {secret}", "PORTMESH_ALERTS is not a YAML file of channels."),
        ("default: [{secret}: {secret}", "PORTMESH_ALERTS is not a YAML file of channels."),
        ("default: {{url: {secret}}}", "PORTMESH_ALERTS has no URL or list of URLs for default."),
    ],
)
def test_a_fault_is_said_without_the_secret_and_told_again(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    channels(tmp_path, monkeypatch, text.format(secret=SECRET))
    sender = Sender("local", PROD, {"shop": "#shop"})
    sender.send([of_a_cause("a")])
    (fault,) = sender.faults
    assert fault.startswith(f"Nobody was told that shop.lines was not published. {said}"), fault
    assert SECRET not in fault + "".join(capfd.readouterr())
    assert not (lake / ".portmesh" / "alerts" / "shop.json").exists()


def test_without_a_file_or_a_writable_lake(webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTMESH_ALERTS", raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv("PORTMESH_LAKE", str(tmp_path / "file"))
    sender = Sender("local", PROD, {"shop": "#shop"})
    sender.send([of_a_cause("a")])
    assert any("PORTMESH_ALERTS names no file of channels." in fault for fault in sender.faults)
    channels(tmp_path, monkeypatch, f"default: {webhook.url}")
    sender = Sender("local", PROD, {"shop": "#shop"})
    sender.send([of_a_cause("a")])
    assert len(webhook.posted) == 1
    assert any("so it may be told again." in fault for fault in sender.faults)


@pytest.mark.usefixtures("lake")
def test_an_email(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mails: list[str] = []

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 loopback\r\n")
            while line := self.rfile.readline():
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    mails.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"mailto://127.0.0.1:{server.server_address[1]}?from=mesh@example.com&to=shop@example.com&mode=insecure"
        channels(tmp_path, monkeypatch, f"default: {url}")
        sender = Sender("local", PROD, {"shop": "#shop"})
        sender.send([of_a_cause("a", "Consumers keep the version of 26 Nov 06:12 UTC.")])
        server.shutdown()
    assert sender.faults == []
    assert "shop.lines" in mails[0]


@pytest.mark.usefixtures("lake")
def test_a_build_tells_the_owner(
    shop: Mesh, webhook: Webhook, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels(shop.folder, monkeypatch, f'"#shop": "{webhook.url}"')
    monkeypatch.chdir(shop.folder)
    shop.land("lines", good() + DUPLICATE)
    called = portmesh("build", "--alert")
    assert (called.exit_code, len(webhook.posted)) == (1, 1), called.err
    assert "#shop was told: shop.lines was not published" in called.out
    (posted,) = webhook.posted
    assert posted["title"] == "shop.lines was not published"
    for text in ("It has no published version yet", "the candidate", "next ", "unique"):
        assert text in posted["message"]
    called = portmesh("alert", "--product", "shop", "--failure", "The worker died.")
    assert (called.exit_code, webhook.posted[-1]["title"]) == (0, "shop: the run failed"), called.err
    assert "shop.lines: the records show no version that consumers read." in webhook.posted[-1]["message"]
    called = portmesh("alert", "--product", "shop", "--late", "It takes longer than 5 minutes.")
    assert (called.exit_code, webhook.posted[-1]["title"]) == (0, "shop: the run is late"), called.err
    called = portmesh("alert", "--product", "shop")
    assert (called.exit_code, "either --failure TEXT or --late TEXT" in called.err) == (2, True)
    called = portmesh("alert", "--product", "shops", "--failure", "The worker died.")
    assert (called.exit_code, "There is no product 'shops'. Did you mean shop?" in called.err) == (2, True)

    # Nobody knows the channels of a mesh that cannot be parsed.
    channels(shop.folder, monkeypatch, f"default: {webhook.url}")
    monkeypatch.setenv("PORTMESH_PRODUCT", "shop")
    broken = "domains/shop/models/intermediate/int_shop__broken.sql"
    shop.write(broken, "select {{ nowhere(")
    called = portmesh("build", "--alert", "--select", "package:shop")
    assert called.exit_code != 0
    assert webhook.posted[-1]["title"] == "shop: the run could not go on", called.err
    said = "unexpected 'end of template'\n  line 1\n    select {{ nowhere(\n\nfile   " + broken
    assert webhook.posted[-1]["message"].startswith(said)
