"""`portmesh status` and `portmesh rollback` on a real mesh."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from portmesh.cli import main
from portmesh.durations import age
from portmesh.status import describe_mesh
from portmesh.upkeep.port_facts import MeshFacts, PortFacts
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good

pytestmark = pytest.mark.thorough

NOW = datetime(2026, 11, 23, 12, 0)
on_every_engine = pytest.mark.engines(*ENGINES)


@pytest.fixture
def shop(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop.lines with 100 rows published, and shop.after, which reads it."""
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.port("shop/after", "select * from {{ ref('lines') }}", COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    assert mesh.dbt("build").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a `portmesh` command. Returns its exit code and output."""
    capsys.readouterr()
    try:
        main(arguments)
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else 0
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def ports(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    code, text = run(capsys, "status", "--json")
    assert code == 0, text
    return {port["port"]: port for port in json.loads(text)["ports"]}


@on_every_engine
def test_a_refused_port_is_held_back_and_those_after_it_wait(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    assert ports(capsys)["lines"]["state"] == "published"
    shop.land("lines", good() + DUPLICATE)
    assert not shop.dbt("build").ok
    assert not shop.dbt("build").ok
    code, text = run(capsys, "status")
    assert code == 0
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith("shop lines held back 100 ") for line in lines), text
    assert any("(2 times): unique" in line for line in lines), text
    assert any("after waiting 100" in line and line.endswith("waits for shop.lines") for line in lines), text
    assert "2 ports: 1 held back, 1 waiting. 0 candidates left behind by failed runs." in lines
    assert max(len(line) for line in text.splitlines()) <= 100
    assert ports(capsys)["lines"]["refused_attempts"] == 2


@on_every_engine
def test_a_candidate_of_a_broken_run_is_counted(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    shop.engine.make_table("shop__internal.lines__20260101_000000_abcdef", "select 1 as one")
    text = run(capsys, "status")[1]
    assert "1 candidate left" in text
    assert "  shop.lines   table lines__20260101_000000_abcdef\n" in text
    assert "left no record" in text


@on_every_engine
def test_a_late_port_says_so(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    shop.land("lines", good().replace("now()::timestamp", "timestamp '2017-01-01'"))
    assert shop.dbt("build").ok
    assert ports(capsys)["lines"]["late"] is True


@on_every_engine
def test_a_mesh_that_was_never_built(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    monkeypatch.chdir(mesh.folder)
    code, text = run(capsys, "status")
    assert (code, "dbt deps" in text) == (2, True)
    assert mesh.dbt("deps").ok
    assert ports(capsys)["lines"]["state"] == "not built"


@on_every_engine
def test_rollback_switches_back_and_says_what_is_read_now(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    shop.land("lines", good(120))
    assert shop.dbt("build").ok
    code, text = run(capsys, "rollback", "shop.lines")
    assert code == 0, text
    assert "shop.lines is back at the version of " in text
    assert shop.value("select count(*) from shop.lines") == 100
    assert ports(capsys)["lines"]["last_attempt"] == "rolled back"


@on_every_engine
@pytest.mark.usefixtures("shop")
def test_rollback_errors_are_plain_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "rollback", "shop.lines")
    assert code == 1
    assert text.startswith("shop.lines has no version before "), text
    code, text = run(capsys, "rollback", "shop.line")
    assert text.startswith("There is no port 'shop.line'. Did you mean shop.lines?"), text
    assert "Encountered" not in text


def test_a_locked_database_is_a_sentence(shop: Mesh, capsys: pytest.CaptureFixture[str]) -> None:
    hold = f"c = duckdb.connect({str(shop.database)!r}); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb, sys; {hold}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        code, text = run(capsys, "status")
    finally:
        holder.communicate("")
    assert code == 2
    assert "The mesh's database is in use by another process." in text


def test_waiting_looks_through_other_ports() -> None:
    def port(name: str, reads: list[str], verdict: str, minutes: int) -> PortFacts:
        at = NOW - timedelta(minutes=minutes)
        return PortFacts(
            id=name, product="p", port=name, reads=reads, verdict=verdict, attempted_at=at, published_at=at
        )

    facts = MeshFacts(
        target="local",
        ports=[
            port("a", [], "refused", 1),
            port("b", ["a"], "published", 60),
            port("c", ["b"], "published", 60),
            port("d", ["a"], "published", 0),
        ],
    )
    states = {p.port: p.state for p in describe_mesh(facts, NOW).ports}
    assert states == {"a": "held back", "b": "waiting", "c": "waiting", "d": "published"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "< 1 min"), (61, "1 min"), (480, "8 min"), (3600, "1 hour"), (7300, "2 hours"), (200_000, "2 days")],
)
def test_ages_are_in_words(seconds: float, words: str) -> None:
    assert age(seconds) == words
