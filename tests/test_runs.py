"""A scheduler's run: its outcome in one file, what it goes on with after a kill, and what waits for its inputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.portmesh_call import Portmesh
from tests.test_build import OF_ITS_OWN
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good

BY_BATCH = """
{{ config(unique_key='_batch_id') }}
with new_rows as (
    {{ rows_of_new_batches(source('raw', 'sales')) }}
)
select
    cast(sale_id as bigint) as sale_id,
    cast(amount as bigint) as amount,
    cast(_batch_id as {{ dbt.type_string() }}) as _batch_id,
    cast(_landed_at as {{ dbt.type_timestamp() }}) as _landed_at,
    cast(_landed_at as {{ dbt.type_timestamp() }}) as landed_at
from new_rows
"""
OF_BATCHES = """
- {name: sale_id, data_type: bigint, description: Key., data_tests: [unique, not_null]}
- {name: amount, data_type: bigint, description: Amount., data_tests: [{accepted_range: {arguments: {min_value: 0}}}]}
- {name: _batch_id, data_type: string, description: Batch.}
- {name: _landed_at, data_type: timestamp, description: When it landed.}
- {name: landed_at, data_type: timestamp, description: The same.}
"""


def batch(name: str, first: int, amount: int = 1) -> str:
    """A select of ten sales of a batch."""
    landed = "timestamp '2026-01-01 06:00:00' as _landed_at"
    rows = f"range({first}, {first + 10}) t(i)"
    return f"select i as sale_id, {amount} as amount, '{name}' as _batch_id, {landed} from {rows}"


@pytest.fixture
def two_products(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """shop.lines; desk.after, which reads it; desk.other, which reads nothing."""
    mesh.set_up("shop", "desk")
    mesh.port("shop/lines", LINES, COLUMNS, meta=f"{EXEMPT}\nconsumers: [{{name: desk, purpose: Reports.}}]")
    mesh.port("desk/after", "select * from {{ ref('shop', 'lines') }}", COLUMNS, meta=EXEMPT)
    mesh.port("desk/other", OF_ITS_OWN, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good())
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


@pytest.fixture
def sales(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """The port shop.sales, taken batch by batch, of which batch a is landed."""
    mesh.set_up("shop", sources=("sales",))
    mesh.port("shop/sales", BY_BATCH, OF_BATCHES, meta=EXEMPT)
    mesh.land("sales", batch("a", 0))
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    return mesh


def outcome_of(portmesh: Portmesh, folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the outcome of a build."""
    file = folder / "outcome.json"
    called = portmesh("build", "--outcome", file, *arguments)
    facts: dict[str, Any] = json.loads(file.read_text())
    assert facts["exit_code"] == called.exit_code, called.out + called.err
    assert not file.with_name(".outcome.json.new").exists()
    return called.exit_code, facts


def states(facts: dict[str, Any]) -> dict[str, str]:
    return {label: port["state"] for label, port in facts["ports"].items()}


def test_the_outcome_says_what_became_of_each_port(two_products: Mesh, portmesh: Portmesh) -> None:
    code, facts = outcome_of(portmesh, two_products.folder)
    assert (code, facts["products"], facts["errors"]) == (0, ["desk", "shop"], {})
    assert states(facts) == {"desk.after": "published", "desk.other": "published", "shop.lines": "published"}
    (first,) = facts["ports"]["shop.lines"]["publications"]
    assert (first["rows"], first["sequence"], first["batches"]) == (100, 1, None)

    two_products.land("lines", good() + DUPLICATE)
    code, facts = outcome_of(portmesh, two_products.folder, "--select", "lines+")
    refused = facts["ports"]["shop.lines"]
    assert (code, refused["state"], refused["failed_checks"]) == (1, "refused", ["unique of line_id"])
    assert refused["message"].startswith("shop.lines was not published. Consumers keep the version of ")
    assert "  next            fix the model or the batch, then: dbt build --select lines+" in refused["message"]
    assert refused["candidate"] in refused["message"]
    assert two_products.has(refused["candidate"])
    assert [one["version"] for one in refused["publications"]] == [first["version"]]
    assert facts["ports"]["desk.after"]["state"] == "waiting"
    assert facts["ports"]["desk.after"]["message"].startswith("waits for shop.lines, refused ")
    assert facts["waits_for"]["desk.after"] == ["shop.lines"]


def test_a_run_that_cannot_begin_says_why(two_products: Mesh, portmesh: Portmesh) -> None:
    code, facts = outcome_of(portmesh, two_products.folder, "--select", "package:desks")
    assert (code, facts["ports"]) == (2, {})
    assert facts["errors"]["local"].startswith("package:desks selects nothing, so nothing was built. Did you mean ")

    two_products.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    code, facts = outcome_of(portmesh, two_products.folder)
    assert (code, set(states(facts).values())) == (1, {"not_built"})
    assert facts["errors"]["local"].startswith("1 finding; nothing was built.\n\nPM104  ")

    called = portmesh("build", "--outcome", two_products.folder / "missing" / "outcome.json")
    assert (called.exit_code, "The outcome cannot be written to " in called.err) == (2, True)


def test_an_engine_that_is_in_use_is_a_sentence(two_products: Mesh, portmesh: Portmesh) -> None:
    two_products.engine.close()
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(two_products.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        code, facts = outcome_of(portmesh, two_products.folder)
        holder.communicate()
    assert (code, set(states(facts).values())) == (2, {"not_built"})
    assert facts["errors"]["local"].startswith("The mesh's database is in use by another process.")


@pytest.mark.engines(*ENGINES)
def test_a_publication_has_its_batches(sales: Mesh, portmesh: Portmesh) -> None:
    target = ("--target", sales.target)
    assert sales.dbt("build").ok
    sales.change_source("sales", f"insert into raw.sales {batch('b', 10)}")
    sales.change_source("sales", f"insert into raw.sales {batch('c', 20)}")
    _, facts = outcome_of(portmesh, sales.folder, *target)
    assert [one["batches"] for one in facts["ports"]["shop.sales"]["publications"]] == [["a"], ["b", "c"]]
    _, facts = outcome_of(portmesh, sales.folder, *target)
    assert states(facts) == {"shop.sales": "unchanged"}
    sales.change_source("sales", f"insert into raw.sales {batch('d', 30, amount=-1)}")
    _, facts = outcome_of(portmesh, sales.folder, *target)
    port = facts["ports"]["shop.sales"]
    assert (port["state"], port["batches"], len(port["publications"])) == ("refused", ["d"], 2)
