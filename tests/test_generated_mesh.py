"""The generated mesh passes the rules, builds, and is the same whenever it is generated."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.generated_mesh import domains_of, write_mesh
from tests.mesh import Mesh


def test_it_is_as_large_as_it_should_be() -> None:
    domains = domains_of(100)
    assert sum(len(domain.models) for domain in domains) == 1000
    assert sum(len(domain.ports) for domain in domains) == 300
    assert abs(sum(domain.tests for domain in domains) - 5000) < 100


def test_a_seed_gives_the_same_mesh_and_another_seed_another() -> None:
    assert domains_of(20, seed=3) == domains_of(20, seed=3)
    assert domains_of(20, seed=3) != domains_of(20, seed=4)


def test_every_reader_is_listed_and_nobody_reads_a_later_domain() -> None:
    domains = domains_of(100)
    readers = [(domain, reader) for domain in domains for found in domain.readers.values() for reader in found]
    assert len(readers) > 150
    assert all(domain.name < reader for domain, reader in readers)


@pytest.mark.nightly
def test_a_small_one_passes_the_rules_and_builds(tmp_path: Path) -> None:
    domains = write_mesh(tmp_path, count=3)
    mesh = Mesh(tmp_path)
    assert mesh.dbt("deps").ok
    built = mesh.dbt("run", "--target-path", str(tmp_path / "target"))
    assert built.ok, built.output
    ports = [(domain.name, port.name) for domain in domains for port in domain.ports]
    assert len(ports) == 9
    assert all(mesh.value(f"select count(*) from {domain}.{port}") > 0 for domain, port in ports)
