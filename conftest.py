"""Fixtures for all tests, and the choice of the engine on which tests of a mesh run."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dbt_common.tests import enable_test_caching

from tests import macros_once
from tests.engine import ENGINES
from tests.rig_client import MANY_SESSIONS, Rig

if TYPE_CHECKING:
    from tests.mesh import Mesh
    from tests.portmesh_call import Portmesh

# All meshes have the repository's macros.
enable_test_caching()
macros_once.enable()
# dbt makes many objects and few circles, so collecting garbage less often saves a tenth of the time.
gc.set_threshold(50_000, 20, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", choices=ENGINES, default="local", help="Run only what does not depend on the engine, on this one."
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests that do not run on the chosen engine. A test without the marker `engines` runs on DuckDB only."""
    _leave_cases_to_the_night(items)
    chosen = [item for item in items if config.getoption("engine") in _engines_of(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let dbt write its manifest and results in the tests that read them."""
    from tests.mesh import Mesh

    Mesh.writes_json = item.get_closest_marker("writes_json") is not None


def _leave_cases_to_the_night(items: list[pytest.Item]) -> None:
    """Mark as nightly what a marker `ci_cases` leaves out of CI."""
    seen: Counter[str] = Counter()
    for item in items:
        if marker := item.get_closest_marker("ci_cases"):
            test = item.nodeid.partition("[")[0]
            seen[test] += 1
            if seen[test] > marker.args[0]:
                item.add_marker("nightly")


def _engines_of(item: pytest.Item) -> tuple[str, ...]:
    marker = item.get_closest_marker("engines")
    return marker.args if marker else ("local",)


@pytest.fixture(scope="session")
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A rig on free ports, stopped at the end; or the rig of PORTMESH_RIG_HOME, emptied, which keeps running."""
    given = os.environ.get("PORTMESH_RIG_HOME")
    used = Rig(Path(given) if given else tmp_path_factory.mktemp("rig"))
    target: str = request.config.getoption("engine")
    used.command("up", *(ENGINES[1:] if target == "local" else [target]), *MANY_SESSIONS)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in used.variables().items():
            patch.setenv(name, value)
        # A rig answers quickly, and polling every half second would take most of the time of a small statement.
        patch.setenv("PORTMESH_ATHENA_POLL", "0.05")
        yield used
    if not given:
        used.command("down")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The target of the tests. Its engine is running."""
    target: str = request.config.getoption("engine")
    if target != "local":
        request.getfixturevalue("rig")
    return target


@pytest.fixture(scope="session")
def new_mesh(engine: str) -> Callable[[Path], Mesh]:
    """Creates an empty mesh in a folder. On a rig, it first empties the lake."""
    from tests.mesh import Mesh

    def make(folder: Path) -> Mesh:
        if engine != "local":
            from tests.engine_glue import empty_lake

            empty_lake()
        return Mesh(folder, engine)

    return make


@pytest.fixture
def mesh(new_mesh: Callable[[Path], Mesh], tmp_path: Path) -> Mesh:
    """An empty mesh in its own folder."""
    return new_mesh(tmp_path)


@pytest.fixture
def shop(mesh: Mesh, request: pytest.FixtureRequest) -> Mesh:
    """A mesh with the port shop.lines over the source table raw.lines, not built yet. Its parameter is a language."""
    from tests.test_output_port import COLUMNS, EXEMPT, LINES, good

    mesh.language = getattr(request, "param", "sql")
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    """Two domains that follow every rule: desk reads the port shop.lines."""
    from tests.mesh import Mesh
    from tests.test_rules import COLUMNS, LINES, READER, RULES_ONLY

    mesh = Mesh(tmp_path_factory.mktemp("rules"))
    mesh.set_up("shop", "desk", root=RULES_ONLY)
    mesh.port("shop/lines", LINES, COLUMNS, meta="consumers: [{name: desk, purpose: Reports.}]")
    mesh.write(READER, "select * from {{ ref('shop', 'lines') }}")
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture
def good(kept: Mesh) -> Iterator[Mesh]:
    """The mesh of `kept`. Changes by a test are undone."""
    from tests.test_rules import project_files

    before = project_files(kept)
    yield kept
    for path, text in project_files(kept).items():
        if path not in before:
            path.unlink()
        elif text != before[path]:
            path.write_text(before[path])


@pytest.fixture
def portmesh(capsys: pytest.CaptureFixture[str]) -> Portmesh:
    """Calls `portmesh` in this process."""
    from tests.portmesh_call import captured

    return captured(capsys)
