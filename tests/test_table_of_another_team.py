"""A table that another team's job writes becomes a port by commands alone, on each engine."""

from __future__ import annotations

from contextlib import chdir

import pytest

from tests.mesh import Mesh
from tests.portmesh_call import Portmesh

COSTS = """
    select
        cast(i as bigint) as cost_id,
        cast(i % 7 as integer) as store_id,
        ['rent', 'power', 'staff'][cast(i % 3 + 1 as integer)] as cost_type,
        cast(i % 400 / 4.0 as decimal(10, 2)) as amount,
        date '2026-01-01' + cast(i // 10 as integer) as booked_date,
        timestamp '2026-02-01 06:00:00' as updated_at
    from range(600) as numbers(i)
"""
MEANINGS = ("cost_id", "store_id", "cost_type", "amount", "booked_date", "updated_at")


@pytest.fixture
def erp(mesh: Mesh) -> Mesh:
    """A domain without models, and a table that no domain owns."""
    mesh.set_up("shop", sources=())
    mesh.remove("domains/shop/models/staging/_sources.yml")
    mesh.land("costs", COSTS)
    assert mesh.dbt("deps").ok
    return mesh


def new_source(portmesh: Portmesh, table: str) -> None:
    made = portmesh(
        "new", "source", "shop.erp", "--from", table, "--loaded-at", "updated_at", "--every", "month",
        "--description", "The accounts' nightly job.", "--grain", "One row per cost.",
    )  # fmt: skip
    assert made.exit_code == 0, made.err


@pytest.mark.engines("local", "emr", "athena")
@pytest.mark.thorough
def test_it_becomes_a_port(erp: Mesh, portmesh: Portmesh) -> None:
    described = [word for name in MEANINGS for word in ("--describe", f"{name}=Described.")]
    with chdir(erp.folder):
        new_source(portmesh, "raw.costs")
        made = portmesh("new", "port", "shop.costs", "--from", "erp.costs", "--classification", "internal", *described)
        assert made.exit_code == 0, made.err
        assert "proposed from 600 rows" in made.out
        assert ("references to other ports were not looked for" in made.out) == (erp.target != "local")
    yaml = (erp.folder / "domains/shop/models/output_ports/costs.yml").read_text()
    assert "- unique  # 600 rows, no two alike" in yaml
    built = erp.dbt("build", "--select", "+costs")
    assert built.ok, built.output
    assert erp.rows("select count(*), sum(amount) from shop.costs") == erp.rows(
        "select count(*), sum(amount) from raw.costs"
    )


@pytest.mark.engines("emr", "athena")
def test_a_table_that_is_not_in_glue_is_named(erp: Mesh, portmesh: Portmesh) -> None:
    with chdir(erp.folder):
        new_source(portmesh, "raw.cots")
        refused = portmesh("new", "port", "shop.costs", "--from", "erp.cots", "--classification", "internal")
    assert refused.exit_code == 1
    assert "There is no raw.cots." in refused.err
    assert not (erp.folder / "domains/shop/models/output_ports").exists()
