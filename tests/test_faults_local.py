"""When DuckDB itself fails, the message is true: what consumers read, and what the next build does."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
import yaml
from dbt.adapters.sql.connections import SQLConnectionManager
from dbt_common.exceptions import DbtDatabaseError

from tests.faults import just_before
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh, captured
from tests.test_output_port import COLUMNS, LINES, good
from tests.test_output_port import EXEMPT_WITH_HOOKS as EXEMPT

pytestmark = pytest.mark.thorough

WHAT_THEY_HAD = "shop.lines was not published: the run failed. Consumers read the version of "
MANY = 2_000_000


@pytest.fixture
def shop(shop: Mesh) -> Mesh:
    """The port shop.lines with 100 rows published, and 120 rows landed since."""
    built = shop.dbt("build")
    assert built.ok, built.output
    shop.land("lines", good(120))
    return shop


def published(mesh: Mesh) -> int:
    return int(mesh.value("select count(*) from shop.lines"))


def assert_the_next_build_needs_no_repair(mesh: Mesh, rows: int) -> None:
    built = mesh.dbt("build")
    assert built.ok, built.output
    assert published(mesh) == rows


# The disk, the memory, the rights


@contextmanager
def as_large_as(file: Path, word: str) -> Iterator[list[str]]:
    """From the first statement with the word on, no file of this process can grow beyond the size of this one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = (file.stat().st_size, hard)
    with just_before(word, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)) as met:
        yield met
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full(shop: Mesh) -> None:
    shop.land("lines", good(MANY))
    with as_large_as(shop.database, "create table") as met:
        broken = shop.dbt("build")

    assert met
    assert broken.statuses["lines"] == "error"
    assert WHAT_THEY_HAD in broken.output, broken.output
    assert "(100 rows)." in broken.output
    assert "cause   the disk with the mesh's database is full" in broken.output
    assert "bucket" not in broken.output
    assert_the_next_build_needs_no_repair(shop, MANY)


@contextmanager
def full_disk(mesh: Mesh) -> Iterator[None]:
    """There is no space for DuckDB's log, which it writes first in every transaction."""
    log = Path(f"{mesh.database}.wal")
    log.symlink_to("/dev/full")
    yield
    log.unlink()


def test_a_transaction_that_finds_no_space(shop: Mesh) -> None:
    with full_disk(shop):
        broken = shop.dbt("build")

    assert broken.statuses["lines"] == "error"
    assert WHAT_THEY_HAD in broken.output, broken.output
    assert "cause   the disk with the mesh's database is full" in broken.output
    assert_the_next_build_needs_no_repair(shop, 120)


def test_a_run_that_finds_no_space_for_its_records(shop: Mesh) -> None:
    shop.execute("drop table portmesh.measurements__shop")
    with full_disk(shop):
        broken = shop.dbt("build")

    assert broken.statuses["lines"] == "skipped"
    assert "No space left on device" in broken.output
    assert published(shop) == 100
    assert_the_next_build_needs_no_repair(shop, 120)


def _set(mesh: Mesh, **settings: object) -> None:
    """Change the profile's output."""
    file = mesh.folder / "profiles.yml"
    profile = yaml.safe_load(file.read_text())
    profile["portmesh"]["outputs"]["local"] |= settings
    file.write_text(yaml.safe_dump(profile))


def test_too_little_memory(shop: Mesh) -> None:
    shop.land("lines", good(MANY))
    before = (shop.folder / "profiles.yml").read_text()
    settings = yaml.safe_load(before)["portmesh"]["outputs"]["local"]["settings"]
    _set(shop, settings=settings | {"memory_limit": "8MB", "max_temp_directory_size": "1MB"})
    broken = shop.dbt("build")
    shop.write("profiles.yml", before)

    assert not broken.ok
    assert "cause   this needs more memory than DuckDB may use" in broken.output, broken.output
    assert "PORTMESH_THREADS" in broken.output
    assert published(shop) == 100
    assert_the_next_build_needs_no_repair(shop, MANY)


# After the publication, but before the end of its transaction

POST_HOOK = "{{ config(post_hook='insert into nowhere.log select 1') }}"


def test_what_fails_after_the_publication_takes_it_back(shop: Mesh) -> None:
    shop.port("shop/lines", POST_HOOK + LINES, COLUMNS, meta=EXEMPT)
    broken = shop.dbt("build")

    assert broken.statuses["lines"] == "error"
    assert WHAT_THEY_HAD in broken.output, broken.output
    assert "(100 rows)." in broken.output
    assert "Consumers read the new version" not in broken.output
    assert published(shop) == 100


def test_what_fails_after_the_transaction_leaves_it(shop: Mesh) -> None:
    late = "{{ config(post_hook={'sql': 'insert into nowhere.log select 1', 'transaction': false}) }}"
    shop.port("shop/lines", late + LINES, COLUMNS, meta=EXEMPT)
    broken = shop.dbt("build")

    assert broken.statuses["lines"] == "error"
    assert "shop.lines was published, but the run failed afterwards. Consumers read the version of " in broken.output
    assert "(120 rows)." in broken.output
    assert published(shop) == 120


def test_a_first_build_that_fails_says_that_consumers_see_nothing(mesh: Mesh) -> None:
    mesh.set_up("shop")
    mesh.port("shop/lines", POST_HOOK + LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    broken = mesh.dbt("build")
    assert "It has no published version yet, so consumers see nothing." in broken.output, broken.output
    assert not mesh.has("shop.lines")


def test_nothing_is_claimed_of_a_cause_that_is_not_known(shop: Mesh) -> None:
    shop.port("shop/lines", POST_HOOK + LINES, COLUMNS, meta=EXEMPT)
    broken = shop.dbt("build")
    assert "cause   see the error below" in broken.output
    assert "nothing needs repair" not in broken.output


def test_an_engine_that_does_not_answer_is_not_spoken_for(shop: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the failing hook on, the records cannot be read."""
    run_statement, gone = SQLConnectionManager.add_query, []

    def add_query(self: SQLConnectionManager, sql: str, *rest: Any, **named: Any) -> Any:
        if "nowhere.log" in sql:
            gone.append(sql)
        elif gone and "attempted_at desc" in sql:
            raise DbtDatabaseError("The engine is gone.")
        return run_statement(self, sql, *rest, **named)

    shop.port("shop/lines", POST_HOOK + LINES, COLUMNS, meta=EXEMPT)
    monkeypatch.setattr(SQLConnectionManager, "add_query", add_query)
    broken = shop.dbt("build")
    assert not broken.ok
    perhaps = "shop.lines may have been published: the run failed in that step. Consumers read either the version they"
    assert perhaps in broken.output
    assert "the engine did not answer which version that is" in broken.output
    assert "Consumers read the version of" not in broken.output


# If the database cannot be opened: the kit's message, and where dbt's own message is


def _lock(file: Path) -> subprocess.Popen[str]:
    """Another process has the database open for writing."""
    program = f"import duckdb; held = duckdb.connect({str(file)!r}); print('open', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=PIPE, stdout=PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    return other


def _spoil(file: Path) -> None:
    """Damage the file but keep its first bytes: DuckDB still recognises it, but the checksums do not match."""
    content = bytearray(file.read_bytes())
    content[12_288:] = bytes(byte ^ 0x55 for byte in content[12_288:])
    file.write_bytes(content)


CANNOT_BE_OPENED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no database": (
        lambda file: file.write_text("x" * 5000),
        "The mesh's database file is damaged or is not a DuckDB database.",
        "it is not a valid DuckDB database file!",
    ),
    "damaged": (_spoil, "The mesh's database file is damaged or is not a DuckDB database.", "Corrupt database file"),
}
PLACES = {
    "read-only": ("/sys/mesh.duckdb", "The mesh's database file is not writable.", "Permission denied"),
    "no folder": (
        "/nowhere/mesh.duckdb",
        "The folder of the mesh's database file does not exist.",
        "No such file or directory",
    ),
}


def assert_both_say(mesh: Mesh, portmesh: Portmesh, meaning: str, said: str) -> None:
    status = portmesh("status")
    assert status.exit_code == 2
    assert status.err.startswith(meaning), status.err
    assert said in status.err
    assert "  next   " in status.err
    assert "Traceback" not in status.err
    broken = mesh.dbt("build")
    assert broken.exit_code == 2
    assert f"{meaning} dbt build stopped before its first node: nothing was published.\n" in broken.output
    assert said in broken.output
    assert "Traceback" not in broken.output


@pytest.fixture
def portmesh(shop: Mesh, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Portmesh:
    """Calls `portmesh` in this process, in the mesh of the test."""
    monkeypatch.chdir(shop.folder)
    return captured(capsys)


@pytest.mark.parametrize("case", CANNOT_BE_OPENED)
@pytest.mark.ci_cases(1)
def test_a_file_that_is_no_database(shop: Mesh, portmesh: Portmesh, case: str) -> None:
    spoil, meaning, said = CANNOT_BE_OPENED[case]
    spoil(shop.database)
    assert_both_say(shop, portmesh, meaning, said)


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.ci_cases(1)
def test_a_place_where_no_database_can_be(shop: Mesh, portmesh: Portmesh, case: str) -> None:
    path, meaning, said = PLACES[case]
    _set(shop, path=path)
    assert_both_say(shop, portmesh, meaning, said)


def test_a_second_writer(shop: Mesh, portmesh: Portmesh) -> None:
    other = _lock(shop.database)
    assert_both_say(shop, portmesh, "The mesh's database is in use by another process.", "Conflicting lock is held")
    other.communicate("\n")
    assert_the_next_build_needs_no_repair(shop, 120)
