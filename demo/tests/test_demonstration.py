"""The demonstration mesh on the first weeks of its real data: what is published, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portmesh.cli import main
from portmesh.dbt import parse_manifest
from tests.mesh import REPOSITORY, Mesh


class Demonstration(Mesh):
    """The repository's mesh with its own lake and database."""

    @property
    def project(self) -> Path:
        return REPOSITORY


def land(*arguments: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["demo", "land", *arguments])
    assert not stop.value.code


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The whole mesh, built from the first two weeks."""
    folder = tmp_path_factory.mktemp("demonstration")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        patch.setenv("PORTMESH_DATABASE", str(folder / "mesh.duckdb"))
        patch.setenv("PORTMESH_LAKE", str(folder / "lake"))
        patch.setenv("DBT_TARGET_PATH", str(folder / "target"))
        patch.setenv("DBT_LOG_PATH", str(folder / "logs"))
        land("--until", "2017-W02")
        mesh = Demonstration(folder)
        built = mesh.dbt("build", "--exclude", "product_pairs")
        assert built.ok, built.output
        yield mesh


def lines(mesh: Mesh) -> int:
    return int(mesh.value("select count(*) from orders.order_lines"))


def test_every_port_is_published_and_measured_in_four_dimensions(demonstration: Demonstration) -> None:
    published, measured = (demonstration.engine.records(name) for name in ("publications", "measurements"))
    ports = demonstration.rows(f"select distinct product, port from {published} where verdict = 'published'")
    assert len(ports) == 14
    dimensions = demonstration.rows(f"select product, port, count(distinct dimension) from {measured} group by all")
    assert {count for *_, count in dimensions} == {4}
    landed = demonstration.value(
        f"select count(*) from read_parquet('{demonstration.folder}/lake/transactions/*/*.parquet')"
    )
    assert lines(demonstration) == landed > 0


def test_a_week_more_is_an_increment(demonstration: Demonstration) -> None:
    before = lines(demonstration)
    land("--until", "2017-W03")
    assert demonstration.dbt("build", "--select", "order_lines", "promotions").ok
    assert lines(demonstration) > before
    kinds = demonstration.rows(
        f"select port, kind, verdict from {demonstration.engine.records('publications')} "
        "where port in ('order_lines', 'promotions') "
        "order by attempted_at desc limit 2"
    )
    assert sorted(kinds) == [("order_lines", "increment", "published"), ("promotions", "increment", "published")]


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ("duplicates", ["was not published", "unique", "order_line_id"]),
        ("nulls", ["was not published", "not_null", "household_id"]),
        ("late", ["was not published", "unique", "order_line_id"]),
        ("unknown-product", ["was not published", "relationships", "product_id"]),
        ("negative", ["was not published", "accepted_range", "sales_value"]),
        ("wrong-type", ["with the batch 2017-W04", "sales_value"]),
        ("truncated", ["transactions/2017-W04"]),
    ],
)
@pytest.mark.ci_cases(3)
def test_a_flawed_batch_reaches_no_consumer(demonstration: Demonstration, flaw: str, words: list[str]) -> None:
    before = lines(demonstration)
    land("--flaw", flaw, "--batch", "2017-W04")
    try:
        refused = demonstration.dbt("run", "--select", "order_lines")
        assert refused.exit_code == 1
        for word in words:
            assert word in refused.messages["order_lines"], refused.messages["order_lines"]
        assert lines(demonstration) == before
    finally:
        land("--withdraw", "transactions/2017-W04")


def test_an_empty_batch_changes_nothing(demonstration: Demonstration) -> None:
    before = lines(demonstration)
    land("--flaw", "empty", "--batch", "2017-W04")
    try:
        assert demonstration.dbt("run", "--select", "order_lines").messages["order_lines"].startswith("nothing new in")
        assert lines(demonstration) == before
    finally:
        land("--withdraw", "transactions/2017-W04")


def test_a_domain_is_selected_with_what_it_reads(demonstration: Demonstration) -> None:
    """As selectors.yml says."""
    listed = demonstration.dbt("ls", "--select", "+package:orders", "--resource-type", "model").output
    assert "orders.output_ports.order_lines" in listed
    assert "catalogue.output_ports.products" in listed
    assert "customer_behaviour." not in listed


def test_no_row_of_another_domains_port_is_stored_before_it_is_used() -> None:
    """On Spark, where staging and intermediate models are tables, only ports contain rows that come from a port."""
    manifest = parse_manifest("--target", "emr")
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    readers = [model for model in models.values() if _ports_of_others(model, models)]
    assert len(readers) >= 7
    assert [r["name"] for r in readers if r["config"]["materialized"] not in ("output_port", "ephemeral")] == []


def _ports_of_others(model: dict[str, Any], models: dict[str, Any]) -> list[str]:
    read = [models[key] for key in model["depends_on"]["nodes"] if key in models]
    return [r["name"] for r in read if r["package_name"] != model["package_name"]]
