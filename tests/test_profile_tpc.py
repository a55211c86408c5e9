"""Every key that TPC-H and TPC-DS declare is proposed, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from portmesh.scaffold.profile import ROWS, Profile, profile, scratch
from portmesh.scaffold.profile_references import Reference, Target, find_references
from portmesh.scaffold.proposals import propose
from tests import tpc

pytestmark = pytest.mark.thorough

# With fewer rows, tables such as store have one row, and nothing identifies it.
SCALES = {"tpch": "0.1", "tpcds": "1"}


@dataclass
class Benchmark:
    name: str
    profiles: dict[str, Profile]
    references: dict[str, tuple[Reference, ...]]


@pytest.fixture(scope="module", params=["tpch", pytest.param("tpcds", marks=pytest.mark.nightly)])
def benchmark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    if not tpc.generator():
        pytest.skip("tpcgen-cli of requirements-dev.txt is not installed")
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    tpc.generate(name, SCALES[name], folder)
    profiles = {}
    for table in tpc.primary(name):
        with scratch() as connection:
            profiles[table] = profile(connection, f"'{folder}/{table}.parquet'", table)
    targets = [target(folder, table, key) for table, found in profiles.items() for key in found.keys.candidates]
    references = {}
    for table, found in profiles.items():
        with scratch() as connection:
            connection.execute(f"create table {ROWS} as select * from '{folder}/{table}.parquet'")
            others = [each for each in targets if each.table != table]
            references[table] = find_references(connection, ROWS, found.columns, others)
    return Benchmark(name, profiles, references)


def target(folder: Path, table: str, key: tuple[str, ...]) -> Target:
    relation = f"'{folder}/{table}.parquet'"
    columns = tuple(row[0] for row in duckdb.execute(f"describe select * from {relation}").fetchall())
    return Target(table, f"tpc.{table}", f"ref('{table}')", relation, key, columns)


@pytest.mark.nightly
def test_every_primary_key_is_the_key_that_is_proposed(benchmark: Benchmark) -> None:
    declared = tpc.primary(benchmark.name)
    assert len(declared) == {"tpch": 8, "tpcds": 24}[benchmark.name]
    assert {table: propose(found).key for table, found in benchmark.profiles.items()} == declared


def test_no_other_key_is_proposed_but_business_keys(benchmark: Benchmark) -> None:
    declared = tpc.primary(benchmark.name)
    others = {
        (table, key)
        for table, found in benchmark.profiles.items()
        for key in found.keys.candidates
        if key != declared[table]
    }
    assert others == (tpc.business() if benchmark.name == "tpcds" else set())


def test_every_foreign_key_is_found_and_no_other(benchmark: Benchmark) -> None:
    found = {
        (reference.columns, reference.target.table)
        for references in benchmark.references.values()
        for reference in references
        if reference.holds
    }
    declared = tpc.foreign(benchmark.name)
    empty = {
        (columns, table)
        for columns, table in declared
        for each in benchmark.profiles.values()
        for column in each.columns
        if (column.name,) == columns and column.nulls == column.rows
    }
    assert len(declared) > 9
    assert empty == ({(("cc_closed_date_sk",), "date_dim")} if benchmark.name == "tpcds" else set())
    assert found == declared - empty
