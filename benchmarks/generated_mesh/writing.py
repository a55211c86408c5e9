"""Writes the domains as dbt packages, and the rows that they land to the mesh's DuckDB file."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import yaml

from benchmarks.generated_mesh.domains import domains_of
from benchmarks.generated_mesh.parts import Domain, Model
from tests.mesh import REPOSITORY, Mesh

SUBJECTS, EVENTS, MEASURES = 40, 200, 5


def write_mesh(folder: Path, count: int = 100, seed: int = 0) -> list[Domain]:
    """Write a mesh of this many domains to an empty folder, and return them."""
    # A copy, so that a change of the repository's own macros is no change of the mesh.
    shutil.copytree(REPOSITORY / "macros", folder / "macros")
    mesh, domains = Mesh(folder.resolve()), domains_of(count, seed)
    mesh.set_up(*(domain.name for domain in domains))
    mesh.write(".gitignore", "dbt_packages/\ntarget/\nlogs/\npackage-lock.yml\n*.duckdb\n*.wal\n.user.yml\n")
    mesh.write("CODEOWNERS", "".join(f"/domains/{domain.name}/  @mesh/{domain.name}\n" for domain in domains))
    for domain in domains:
        _write_domain(mesh, domain)
    _write_rows(mesh, [domain for domain in domains if domain.kind == "source-aligned"])
    return domains


def _write_domain(mesh: Mesh, domain: Domain) -> None:
    models = f"domains/{domain.name}/models"
    product = yaml.safe_load((mesh.folder / models / f"{domain.name}.yml").read_text())
    (group,) = product["groups"]
    group["owner"]["github"] = f"@mesh/{domain.name}"
    group["config"]["meta"]["kind"] = domain.kind
    _dump(mesh, f"{models}/{domain.name}.yml", product)
    for folder in ("staging", "intermediate"):
        inner = [model for model in domain.models if model.folder == folder]
        for model in inner:
            mesh.write(f"{models}/{folder}/{model.name}.sql", model.sql)
        if inner:
            _dump(mesh, f"{models}/{folder}/_{domain.name}__{folder}.yml", {"models": [_as_yaml(m) for m in inner]})
    for port in domain.ports:
        _write_port(mesh, domain, port)
    (sources := mesh.folder / models / "staging/_sources.yml").unlink(missing_ok=True)
    if domain.kind == "source-aligned":
        sources.write_text(yaml.safe_dump({"sources": [_source(domain)]}, sort_keys=False))
        _dump(mesh, f"{models}/intermediate/_unit_tests.yml", {"unit_tests": [_unit_test(domain)]})
    if domain.kind == "consumer-aligned":
        _dump(mesh, f"{models}/exposures.yml", {"exposures": [_dashboard(domain)]})


def _write_port(mesh: Mesh, domain: Domain, port: Model) -> None:
    readers = [*domain.readers.get(port.name, []), _dashboard_name(domain)]
    consumers = [{"name": reader, "purpose": "Reports.", "until": "2099-12-31"} for reader in readers]
    written = _as_yaml(port)
    mesh.port(
        f"{domain.name}/{port.name}",
        port.sql,
        yaml.safe_dump(written["columns"], sort_keys=False),
        extra=yaml.safe_dump({"data_tests": written["data_tests"]}) if port.combination else "",
        meta=yaml.safe_dump({"consumers": consumers}, sort_keys=False),
    )


def _as_yaml(model: Model) -> dict[str, object]:
    columns = [
        {"name": column.name, "data_type": column.type, "description": f"The {column.name} of a row."}
        | ({"data_tests": [yaml.safe_load(test) for test in column.tests]} if column.tests else {})
        for column in model.columns
    ]
    key = {"unique_combination": {"arguments": {"columns": list(model.combination)}}}
    found: dict[str, object] = {"name": model.name, "columns": columns}
    return found | ({"data_tests": [key]} if model.combination else {})


def _source(domain: Domain) -> dict[str, object]:
    events = {"event_id": "bigint", "subject_id": "bigint", "status": "string", "happened_at": "timestamp"}
    events |= {f"measure_{place}": "decimal(18,2)" for place in range(MEASURES)} | {"landed_at": "timestamp"}
    subjects = {"subject_id": "bigint", "region": "string", "changed_at": "timestamp"}
    tables = [
        {"name": name, "identifier": f"{name}_{domain.number:03}"}
        | {"columns": [{"name": column, "data_type": kind} for column, kind in columns.items()]}
        for name, columns in (("events", events), ("subjects", subjects))
    ]
    return {"name": f"app_{domain.number:03}", "schema": "raw", "tables": tables}


def _unit_test(domain: Domain) -> dict[str, object]:
    staged, inner = f"stg_app_{domain.number:03}__events", f"int_{domain.name}__events_valid"
    rows = [{"event_id": 1, "status": "open"}, {"event_id": 2, "status": "cancelled"}]
    return {
        "name": f"cancelled_events_are_left_out_{domain.number:03}",
        "model": inner,
        "given": [{"input": f"ref('{staged}')", "rows": rows}],
        "expect": {"rows": [{"event_id": 1}]},
    }


def _dashboard_name(domain: Domain) -> str:
    return f"dashboard_{domain.number:03}"


def _dashboard(domain: Domain) -> dict[str, object]:
    return {
        "name": _dashboard_name(domain),
        "type": "dashboard",
        "owner": {"name": f"Team {domain.name}", "email": f"{domain.name}@example.com"},
        "depends_on": [f"ref('{domain.ports[0].name}')"],
    }


def _write_rows(mesh: Mesh, domains: list[Domain]) -> None:
    measures = ", ".join(f"(i * {7 + place} % 1000) / 10.0 as measure_{place}" for place in range(MEASURES))
    events = f"""
        select i as event_id, i % {SUBJECTS} + 1 as subject_id,
            ['open', 'paid', 'closed', 'cancelled'][i % 4 + 1] as status,
            timestamp '2026-01-01' + to_hours(i) as happened_at, {measures}, (now() at time zone 'UTC') as landed_at
        from range({EVENTS}) as numbers (i)"""
    subjects = f"""
        select i % {SUBJECTS} + 1 as subject_id, ['north', 'south', 'west'][i % 3 + 1] as region,
            timestamp '2026-01-01' + to_days(cast(i as integer)) as changed_at
        from range({2 * SUBJECTS}) as numbers (i)"""
    with duckdb.connect(str(mesh.database)) as connection:
        connection.execute("create schema raw")
        for domain in domains:
            connection.execute(f"create table raw.events_{domain.number:03} as {events}")
            connection.execute(f"create table raw.subjects_{domain.number:03} as {subjects}")


def _dump(mesh: Mesh, path: str, content: dict[str, object]) -> None:
    mesh.write(path, yaml.safe_dump(content, sort_keys=False))
