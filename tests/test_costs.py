"""A publication records what it cost: seconds by step, statements, and the bytes that its engine reports."""

from __future__ import annotations

import os

import boto3
import pytest

from portmesh.cli import main
from tests.engine import ENGINES
from tests.mesh import Mesh
from tests.test_output_port import COLUMNS, DUPLICATE, EXEMPT, LINES, good

MINIMUM = 10_000_000
"""The fewest bytes that Athena bills for a statement."""


@pytest.fixture
def shop(mesh: Mesh) -> Mesh:
    """A mesh whose port shop.lines is published with 50,000 rows."""
    mesh.set_up("shop")
    mesh.port("shop/lines", LINES, COLUMNS, meta=EXEMPT)
    mesh.land("lines", good(50_000))
    assert mesh.dbt("deps").ok
    published = mesh.dbt("run")
    assert published.ok, published.output
    return mesh


def newest(mesh: Mesh, columns: str) -> tuple[float, ...]:
    return mesh.rows(f"select {columns} from portmesh.publications__shop order by attempted_at desc limit 1")[0]


@pytest.mark.engines(*ENGINES)
def test_seconds_and_statements_of_each_step(shop: Mesh) -> None:
    assert shop.dbt("run").ok
    seconds, *steps, statements = newest(shop, "seconds, write_seconds, audit_seconds, publish_seconds, statements")
    assert all(step > 0 for step in steps)
    assert sum(steps) <= seconds + 1
    assert statements >= len(steps)


@pytest.mark.engines(*ENGINES)
def test_a_refused_port_has_no_seconds_of_publishing(shop: Mesh) -> None:
    shop.land("lines", good(50_000) + DUPLICATE)
    assert not shop.dbt("run").ok
    write, audit, publish = newest(shop, "write_seconds, audit_seconds, publish_seconds")
    assert write > 0 < audit
    assert publish is None


@pytest.mark.engines("local")
def test_duckdb_reports_the_bytes_that_it_read(shop: Mesh) -> None:
    assert shop.dbt("run").ok
    scanned, billed = newest(shop, "bytes_scanned, bytes_billed")
    assert scanned > 50_000
    assert billed is None


@pytest.mark.engines("emr")
def test_spark_reports_the_bytes_that_it_read_afterwards(
    shop: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.dbt("run").ok
    columns = "bytes_scanned, audit_bytes_scanned, bytes_billed"
    assert newest(shop, columns) == (None, None, None)
    monkeypatch.chdir(shop.folder)
    with pytest.raises(SystemExit) as stop:
        main(["meter"])
    assert not stop.value.code
    assert "publications in Spark's history" in capsys.readouterr().out
    scanned, audit_scanned, billed = newest(shop, columns)
    assert scanned > audit_scanned > 0
    assert billed is None


@pytest.mark.engines("athena")
def test_athena_reports_the_bytes_that_each_statement_read(shop: Mesh) -> None:
    assert shop.dbt("run").ok
    run_id, scanned, billed, audit_scanned, audit_billed = newest(
        shop, "invocation_id, bytes_scanned, bytes_billed, audit_bytes_scanned, audit_bytes_billed"
    )
    executions = executions_of(str(run_id))
    audits = [e for e in executions if "/* step: audit */" in e["Query"]]
    assert audit_scanned == sum(e["Statistics"]["DataScannedInBytes"] for e in audits) > 0
    assert scanned > audit_scanned
    assert billed % MINIMUM == 0
    assert audit_billed <= billed


@pytest.mark.engines("athena")
def test_the_audit_of_a_small_port_is_billed_as_one_statement(shop: Mesh) -> None:
    assert shop.dbt("run").ok
    assert newest(shop, "audit_bytes_billed") == (MINIMUM,)


@pytest.mark.engines("athena")
def test_a_changed_check_is_looked_up_and_billed(shop: Mesh) -> None:
    shop.port("shop/lines", LINES, COLUMNS.replace("[store, web]", "[store, web, phone]"), meta=EXEMPT)
    assert shop.dbt("run").ok
    assert newest(shop, "audit_bytes_billed") == (2 * MINIMUM,)


@pytest.mark.engines("athena")
def test_a_full_build_deletes_nothing_and_an_increment_deletes_once(shop: Mesh) -> None:
    """Athena bills the bytes that a deletion scans; the rig removes whole files without a scan (decision 0023)."""
    assert shop.dbt("run", "--full-refresh").ok
    assert deletions_of(shop) == []
    shop.port("shop/lines", "{{ config(unique_key='line_id') }}" + LINES, COLUMNS, meta=EXEMPT)
    shop.land("lines", good(60_000))
    assert shop.dbt("run").ok
    (deletion,) = deletions_of(shop)
    assert "\"line_id\" between cast('0' as bigint) and cast('59999' as bigint) and (\"line_id\") in (" in deletion
    assert shop.value("select count(*) from shop.lines") == 60_000


def deletions_of(mesh: Mesh) -> list[str]:
    """The way in which the last run deleted rows."""
    (run_id,) = newest(mesh, "invocation_id")
    sent = [str(execution["Query"]) for execution in executions_of(str(run_id))]
    assert len(sent) > 3
    return [sql for sql in sent if "delete from" in sql]


def executions_of(run_id: str) -> list[dict[str, object]]:
    """The statements of a run, from the work group's history."""
    athena = boto3.client("athena")
    pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=os.environ["PORTMESH_ATHENA_WORKGROUP"])
    ids = [one for page in pages for one in page["QueryExecutionIds"]]
    found = [athena.get_query_execution(QueryExecutionId=one)["QueryExecution"] for one in ids]
    return [execution for execution in found if f'"run": "{run_id}"' in execution["Query"]]
