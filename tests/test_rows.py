"""`portmesh diff --data`: published rows are compared with those of an environment, on real rows, by the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import chdir

import pytest
import yaml

from portmesh.contracts.rows.comparing import Pair, compare_rows
from portmesh.contracts.rows.comparison import PortRows, Rows
from portmesh.errors import UsageError
from tests.mesh import Mesh

TABLES = {
    # name: (published, built here)
    "plain": (
        "select i as id, 'a' || i as name, i * 1.5::double as amount from range(10) t(i)",
        "select i as id, case when i = 3 then 'A3' else 'a' || i end as name, i * 1.5::double as amount "
        "from range(1, 12) t(i)",
    ),
}
KEYS = {"plain": ("id",)}


def in_environment(mesh: Mesh, environment: str) -> None:
    profiles = mesh.folder / "profiles.yml"
    profile = yaml.safe_load(profiles.read_text())
    profile["portmesh"]["outputs"][mesh.target]["schema"] = environment
    profiles.write_text(yaml.safe_dump(profile))


@pytest.fixture(scope="module")
def compared(new_mesh: Callable, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PortRows]:
    mesh = new_mesh(tmp_path_factory.mktemp("rows"))
    mesh.set_up("shop", environment="dev_ana")
    assert mesh.dbt("deps").ok
    for name, (published, built) in TABLES.items():
        mesh.engine.make_table(f"shop.{name}", published)
        mesh.engine.make_table(f"dev_ana__shop.{name}", built)
    pairs = [Pair(f"shop.{name}", f"shop.{name}", f"shop.{name}", KEYS.get(name, ())) for name in TABLES]
    with chdir(mesh.folder):
        return {port.port.removeprefix("shop."): port for port in compare_rows(pairs).ports}


def test_first(compared) -> None:
    print(compared["plain"].model_dump_json(indent=1))
    assert 0
