"""`--empty` and `--sample` read only a part of the input. Production never publishes from what they build."""

from __future__ import annotations

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, EXEMPT, LINES, good

pytestmark = [pytest.mark.engines(*ENGINES), pytest.mark.thorough]

EMPTY, SAMPLE = ["--empty"], ["--sample", "1 day"]
STAGING = "{{ config(event_time='landed_at') }} select * from {{ source('raw', 'lines') }}"
SNAPSHOT = """
snapshots:
  - name: lines_kept
    relation: source('raw', 'lines')
    config: {strategy: check, check_cols: [channel], unique_key: line_id, hard_deletes: invalidate}
"""


def make(mesh: Mesh, environment: str) -> Mesh:
    """shop.lines over a view and a table of the domain, a seed, and a snapshot of the source."""
    mesh.set_up("shop", environment=environment)
    mesh.write("domains/shop/models/staging/stg_raw__lines.sql", STAGING)
    mesh.write(
        "domains/shop/models/intermediate/int_shop__lines.sql",
        "{{ config(materialized='table') }} select * from {{ ref('stg_raw__lines') }}",
    )
    sql = LINES.replace("source('raw', 'lines')", "ref('int_shop__lines')")
    mesh.port("shop/lines", sql, COLUMNS, meta=EXEMPT)
    mesh.write("domains/shop/snapshots/kept.yml", SNAPSHOT)
    mesh.write("domains/shop/seeds/colours.csv", "colour\nred\n")
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    return mesh


@pytest.fixture
def production(mesh: Mesh) -> Mesh:
    built = make(mesh, "prod").dbt("build")
    assert built.ok, built.output
    return mesh


@pytest.mark.parametrize("command", [["build", *EMPTY], ["run", *SAMPLE], ["snapshot", *EMPTY]], ids=" ".join)
@pytest.mark.ci_cases(1)
def test_production_refuses_it_and_says_where_it_belongs(production: Mesh, command: list[str]) -> None:
    refused = production.dbt(*command)
    assert refused.exit_code == 1
    assert f"dbt {command[0]} {command[1]} was refused: this is production." in refused.output
    assert f"next   PORTMESH_ENVIRONMENT=dev_<you> dbt {command[0]} {command[1]}" in refused.output
    assert set(refused.statuses.values()) == {"skipped"}
    assert production.value("select count(*) from shop__internal.int_shop__lines") == 100
    assert production.value("select count(*) from shop__internal.lines_kept where dbt_valid_to is null") == 100
    assert production.value("select count(*) from shop__internal.colours") == 1
    assert production.dbt("build", "--select", "lines").ok
    assert production.value("select count(*) from shop.lines") == 100


@pytest.mark.parametrize("flag", [EMPTY, SAMPLE], ids=["empty", "sample"])
@pytest.mark.ci_cases(1)
def test_an_environment_of_ones_own_takes_it(mesh: Mesh, flag: list[str]) -> None:
    make(mesh, "dev_ana")
    # The gate uses this name itself: Jinja would read the domain's value if the gate did not set it.
    mesh.write("domains/shop/macros/attempt.sql", "{% macro attempt() %}{% endmacro %}")
    tried = mesh.dbt("build", *flag, "--exclude", "resource_type:snapshot", "resource_type:test")
    assert tried.ok, tried.output
    assert tried.messages["lines"] == "contract matches, nothing published"
    assert mesh.dbt("build").ok
    assert mesh.value("select count(*) from dev_ana__shop.lines") == 100


def test_a_history_is_never_closed_by_it(mesh: Mesh) -> None:
    make(mesh, "dev_ana")
    assert mesh.dbt("snapshot").ok
    refused = mesh.dbt("snapshot", *EMPTY)
    assert refused.exit_code == 1
    assert "dbt snapshot --empty was refused: it would treat the missing rows as deleted." in refused.output
    assert "snapshot   dev_ana__shop__internal.lines_kept" in refused.output
    assert mesh.value("select count(*) from dev_ana__shop__internal.lines_kept where dbt_valid_to is null") == 100
    assert mesh.dbt("build", *EMPTY, "--exclude", "resource_type:snapshot", "resource_type:test").ok


def test_compiling_with_it_is_harmless(production: Mesh) -> None:
    assert production.dbt("compile", *EMPTY).ok
