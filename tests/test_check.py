"""`portmesh check` on a small mesh, through dbt: what it prints, its baseline, an earlier state, and the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from portmesh.rules.baseline import Baseline, Entry, compare
from portmesh.rules.finding import Finding
from portmesh.rules.kept_reads import KeptReads
from portmesh.rules.printing import as_github, as_text
from portmesh.rules.reading_sql import read_sql
from tests.mesh import REPOSITORY, Mesh
from tests.portmesh_call import Portmesh
from tests.test_rules import COLUMNS, LINES, READER, RULES_ONLY, project_files
from tests.test_state import commit, git

NAMES_COLUMNS = "with lines as (select * from {{ ref('shop', 'lines') }}) select line_id from lines"
BAD = {
    "domains/desk/models/intermediate/int_desk__named.sql": "select line_id\nfrom shop.lines",
    "domains/desk/models/intermediate/int_desk__days.sql": "select day from crm.days",
    "domains/desk/models/intermediate/int_desk__file.sql": "select day from read_csv('days.csv')",
    "domains/desk/models/intermediate/int_desk__header.sql": "{{ config(sql_header='from shop.old') }} select 1 as x",
    "domains/desk/models/intermediate/int_desk__all.sql": "select * from {{ ref('shop', 'lines') }}",
    "domains/shop/tests/assert_nothing.sql": "select 1 from {{ ref('int_shop__tickets') }} where 1 = 2",
    "domains/shop/models/intermediate/int_shop__tickets.sql": "select line_id from {{ ref('desk', 'tickets') }}",
    "domains/desk/models/intermediate/int_desk__two.sql": "select 1 as x; select 2 as x",
    "domains/desk/models/intermediate/int_desk__more.py": "def model(dbt, session):\n    return session.write\n",
    "domains/shop/models/intermediate/_shop.yml": "models: [{name: int_shop__tickets, meta: {rows_from: []}}]",
    "CODEOWNERS": "* @example/platform\n",
}
CODES = [f"PM2{number:02}" for number in range(1, 14)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """Two domains that keep every rule, in a git repository."""
    mesh = Mesh(tmp_path_factory.mktemp("check"))
    mesh.set_up("shop", "desk", root=RULES_ONLY)
    mesh.write(".gitignore", "target/\nlogs/\ndbt_packages/\npackage-lock.yml\n")
    mesh.port("shop/lines", LINES, COLUMNS, meta="consumers: [{name: desk, purpose: Reports.}]")
    mesh.write(READER, NAMES_COLUMNS)
    git(mesh.folder, "init", "-q", "-b", "main")
    commit(mesh.folder)
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture
def good(kept: Mesh, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    """The same, as the current folder. Changes by a test are undone."""
    monkeypatch.chdir(kept.folder)
    before = project_files(kept)
    yield kept
    for file in project_files(kept).keys() - before.keys():
        file.unlink()
    for file, text in before.items():
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
    for name in ("CODEOWNERS", "check-baseline.json"):
        (kept.folder / name).unlink(missing_ok=True)


def break_all(mesh: Mesh) -> None:
    """One finding of each rule."""
    for path, text in BAD.items():
        mesh.write(path, text)
    mesh.port("desk/tickets", LINES, COLUMNS, meta="consumers: [{name: shop, purpose: a, until: 2025-01-31}]")
    mesh.port("desk/unread", LINES, COLUMNS)
    group = mesh.folder / "domains/shop/models/shop.yml"
    group.write_text(group.read_text().replace("email:", "github: '@example/shop'\n    email:"))


def test_a_good_mesh_has_no_findings_and_a_bad_one_those_of_every_rule(good: Mesh, portmesh: Portmesh) -> None:
    clean = portmesh("check")
    assert (clean.exit_code, clean.err) == (0, "")
    assert clean.out.startswith("No findings in the working tree (")
    break_all(good)
    found = portmesh("check")
    assert found.exit_code == 1
    assert [line[:5] for line in found.out.splitlines() if line.startswith("PM")] == CODES
    assert (
        "PM201  The model desk.int_desk__named reads an output port of shop by its name, shop.lines.\n"
        "       domains/desk/models/intermediate/int_desk__named.sql:2\n"
        "       Read it with ref('shop', 'lines'):  docs/rules/PM201.md\n"
    ) in found.out
    assert max(len(line) for line in found.out.splitlines()) <= 100
    assert not good.database.exists()
    annotated = portmesh("check", "--format", "github").out.splitlines()
    assert len(annotated) == len(CODES)
    assert annotated[0] == (
        "::error file=domains/desk/models/intermediate/int_desk__named.sql,line=2,title=PM201::The model "
        "desk.int_desk__named reads an output port of shop by its name, shop.lines.%0ARead it with ref('shop', "
        "'lines'): docs/rules/PM201.md"
    )
    written = portmesh("check", "--write-baseline")
    file = good.folder / "check-baseline.json"
    assert (written.exit_code, written.out) == (0, f"{len(CODES)} findings written to {file}.\n")
    good.remove("domains/desk/models/intermediate/int_desk__two.sql")
    good.write(READER, "select line_id from shop.lines_old")
    changed = portmesh("check")
    assert changed.exit_code == 1
    assert changed.out.startswith("1 finding in the working tree")
    assert f"{len(CODES) - 1} more findings are in the baseline.\n" in changed.out
    assert "int_desk__lines.sql:1" in changed.out
    assert (
        "1 entry of the baseline no longer applies:\n"
        "  PM211  The model desk.int_desk__two cannot be read: it has 2 statements, not one query.\n"
        "  next   portmesh check --write-baseline\n"
    ) in changed.out


def test_what_an_earlier_state_has_is_left_out(good: Mesh, portmesh: Portmesh) -> None:
    group = good.folder / "domains/shop/models/shop.yml"
    group.write_text(group.read_text().replace("email:", "github: '@example/shop'\n    email:"))
    named = good.write("domains/desk/models/intermediate/int_desk__named.sql", "select line_id from shop.lines")
    commit(good.folder, "An old mistake")
    good.write("domains/desk/models/intermediate/int_desk__again.sql", "select line_id from shop.lines")
    good.write("CODEOWNERS", "* @example/platform\n")
    found = portmesh("check", "--against", "main", "--json")
    named.unlink()
    facts = json.loads(found.out)
    assert found.exit_code == 1
    assert all((good.folder / each["file"]).is_file() for each in facts["findings"])
    about = [(each["code"], each["node"]) for each in facts["findings"]]
    assert about == [("PM201", "model.desk.int_desk__again"), ("PM209", "group.shop.shop")]
    assert ", besides those of main (" in facts["state"]


@pytest.mark.parametrize("code", ["PM203", "pm203", "PM104"])
def test_a_page_is_printed(code: str, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    printed = portmesh("check", "--explain", code)
    assert printed.exit_code == 0
    assert printed.out.rstrip() == (REPOSITORY / f"docs/rules/{code.upper()}.md").read_text().rstrip()


def test_a_rule_on_changes_is_explained_by_its_section(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    printed = portmesh("check", "--explain", "pm311")
    assert printed.exit_code == 0
    assert printed.out.startswith("# PM311\n**A column was removed.** Every statement that names it fails.")
    assert "PM312" not in printed.out


def test_a_rule_on_changes_has_a_section(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    lines = portmesh("check", "--explain", "PM303").out.splitlines()
    assert lines[0] == "# PM303"
    assert not any(line.startswith("## ") for line in lines)


def test_a_rule_that_does_not_exist_gets_the_nearest(portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    refused = portmesh("check", "--explain", "PM2004")
    assert refused.exit_code == 2
    assert "There is no rule 'PM2004'. Did you mean PM204?" in " ".join(refused.err.split())
    assert "Did you mean" not in portmesh("check", "--explain", "PM999").err


def test_a_baseline_that_cannot_be_read_says_so(
    portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(REPOSITORY)
    missing = portmesh("check", "--baseline", tmp_path / "none.json")
    assert missing.exit_code == 3
    assert "--write-baseline" in missing.err
    (tmp_path / "bad.json").write_text('{"findings": [{"node": 1}]}')
    bad = portmesh("check", "--baseline", tmp_path / "bad.json")
    assert bad.exit_code == 2
    assert "The baseline cannot be read." in bad.err
    assert "findings.0.code: Field required" in bad.err


FINDING = Finding("PM205", "a,b:c.sql", 0, "It is 100 %.", "Fix it", "model.a.b", "x")


def test_a_baseline_knows_a_finding_whatever_its_text_and_line() -> None:
    entries = [Entry(code="PM205", node="model.a.b", about="x", what="An old text."), Entry(code="PM201", node="gone")]
    other = Finding("PM205", "a.sql", 3, "Other.", "Fix", "model.a.b", "y")
    compared = compare([FINDING, other], Baseline(findings=entries))
    assert [finding.about for finding in compared.new] == ["y"]
    assert (compared.known, [entry.node for entry in compared.gone]) == (1, ["gone"])
    assert as_text(compared, "main").startswith("1 finding in main.\n\nPM205  Other.\n       a.sql:3\n")


def test_github_gets_no_character_that_means_something_to_it() -> None:
    assert as_github([FINDING]) == (
        "::error file=a%2Cb%3Ac.sql,line=1,title=PM205::It is 100 %25.%0AFix it: docs/rules/PM205.md"
    )


def test_what_was_parsed_is_kept(tmp_path: Path) -> None:
    sql = "select * from a.b union all select x from c.d, read_csv('e') -- frm"
    first = KeptReads(tmp_path / "kept.json")
    read, broken = first.query(sql, "duckdb"), first.query("select 1 frm a.b", "duckdb")
    first.save()
    again = KeptReads(tmp_path / "kept.json")
    assert again.query(sql, "duckdb") == read == read_sql(sql, "duckdb")
    assert again.query("select 1 frm a.b", "duckdb") == broken
    assert broken.problem
    (tmp_path / "kept.json").write_text('{"version": "0", "reads": {"x": {}}}')
    assert KeptReads(tmp_path / "kept.json").query(sql, "duckdb") == read
    (tmp_path / "kept.json").write_text("{")
    assert KeptReads(tmp_path / "kept.json").query(sql, "duckdb") == read
