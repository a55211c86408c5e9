"""Meshes of two domains for the rules of `portmesh check`, as manifests in memory and files in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from portmesh.rules.checked_mesh import CheckedMesh
from tests.sql_manifest import model

Nodes = dict[str, dict[str, Any]]
TODAY = date(2026, 11, 26)
PORT = "model.shop.lines"
YAML = """models:
  - name: lines
    config:
      meta:
        consumers:
          - {name: desk, purpose: Reports., until: 2026-10-31}
    deprecation_date: 2026-06-30
    columns:
      - name: amount
        data_tests:
          - accepted_range
"""


def node(name: str, sql: str, parents: tuple[str, ...] = (), **more: Any) -> Nodes:
    """A model `<domain>.<name>` with a file of its own, in the schema `<domain>__internal` if it is not a port."""
    (id_, made) = next(iter(model(name, sql, parents, more.get("adapter_type", "duckdb"), **more).items()))
    is_port = made["config"].get("materialized") == "output_port"
    folder = "output_ports" if is_port else "intermediate"
    schema = made["package_name"] if is_port else made["package_name"] + "__internal"
    files = {"original_file_path": f"models/{folder}/{made['name']}.sql", "raw_code": sql, "schema": schema}
    relation = made["relation_name"].replace(made["package_name"], schema, 1)
    return {id_: {**files, **made, "relation_name": relation, **more}}


def port(name: str, sql: str = "select 1 as line_id", parents: tuple[str, ...] = (), **more: Any) -> Nodes:
    """An output port `<domain>.<name>`. `meta` is its config.meta."""
    domain, short, *_ = name.split(".")
    meta = more.pop("meta", {"consumers": [{"name": "desk", "purpose": "Reports."}]})
    config = {"materialized": "output_port", "meta": meta, **more.pop("config", {})}
    return node(name, sql, parents, config=config, patch_path=f"{domain}://models/output_ports/{short}.yml", **more)


def source(name: str, domain: str, relation: str, **more: Any) -> Nodes:
    """A table of a source, `<source>.<table>`, that a domain declares."""
    of, table = name.split(".")
    id_ = f"source.{domain}.{name}"
    made = {
        "unique_id": id_,
        "resource_type": "source",
        "package_name": domain,
        "source_name": of,
        "name": table,
        "identifier": table,
        "schema": of,
        "relation_name": relation,
        "original_file_path": f"models/staging/_{of}__sources.yml",
        "config": {"meta": {}},
    }
    return {id_: {**made, **more}}


def check(kind: str, on: str = PORT, where: str | None = None, sql: str = "", **arguments: Any) -> Nodes:
    """A generic test of a node. The domain's own kinds have `sql`, which dbt compiled."""
    _, domain, name = on.split(".")[:3]
    alias = f"{kind}_{name}"
    made = {
        "unique_id": f"test.{domain}.{alias}",
        "resource_type": "test",
        "package_name": domain,
        "name": alias,
        "alias": alias,
        "attached_node": on,
        "column_name": arguments.get("column_name"),
        "test_metadata": {"name": kind, "kwargs": {"model": "{{ get_where_subquery(ref('x')) }}", **arguments}},
        "config": {"where": where, "meta": {}},
        "original_file_path": f"models/output_ports/{name}.yml",
        "compiled_code": sql,
        "depends_on": {"nodes": [on], "macros": [f"macro.{domain if sql else 'portmesh'}.test_{kind}"]},
    }
    return {made["unique_id"]: made}


def singular(name: str, sql: str, parents: tuple[str, ...] = ()) -> Nodes:
    """A singular test, `<domain>.<name>`."""
    domain, short = name.split(".")
    made = {
        "unique_id": f"test.{name}",
        "resource_type": "test",
        "package_name": domain,
        "name": short,
        "alias": short,
        "test_metadata": None,
        "config": {"where": None, "meta": {}},
        "original_file_path": f"tests/{short}.sql",
        "raw_code": sql,
        "compiled_code": sql,
        "depends_on": {"nodes": list(parents), "macros": []},
    }
    return {made["unique_id"]: made}


def other(kind: str, name: str, **more: Any) -> Nodes:
    """An exposure, unit test, function or group: `<domain>.<name>`."""
    domain, short = name.split(".")
    made = {
        "unique_id": f"{kind}.{name}",
        "resource_type": kind,
        "package_name": domain,
        "name": short,
        "original_file_path": f"models/{domain}.yml",
        "config": {"meta": {}},
        "depends_on": {"nodes": [], "macros": []},
    }
    return {made["unique_id"]: {**made, **more}}


def macro(name: str, code: str) -> Mapping[str, Any]:
    """A macro `<package>.<name>`."""
    package, short = name.split(".")
    made = {"package_name": package, "name": short, "macro_sql": code, "original_file_path": f"macros/{short}.sql"}
    return {f"macro.{name}": {"unique_id": f"macro.{name}", **made}}


def mesh(root: Path, *nodes: Nodes, macros: Mapping[str, Any] | None = None, today: date = TODAY) -> CheckedMesh:
    """The port shop.lines, which desk may read, and these nodes, which may replace it; with their files in `root`."""
    reader = node("desk.int_desk__lines", 'select line_id from "mesh"."shop"."lines"', (PORT,))
    found = {id_: each for part in (port("shop.lines"), reader, *nodes) for id_, each in part.items()}
    kinds = {"source": "sources", "exposure": "exposures", "unit_test": "unit_tests"}
    kinds |= {"function": "functions", "group": "groups"}
    manifest: dict[str, Any] = {kind: {} for kind in ("nodes", *kinds.values())}
    for id_, each in found.items():
        manifest[kinds.get(each["resource_type"], "nodes")][id_] = each
        file = root / "domains" / each["package_name"] / each["original_file_path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix in (".sql", ".py"):
            file.write_text(each["raw_code"])
    yml = root / "domains/shop/models/output_ports/lines.yml"
    yml.write_text(YAML)
    metadata = {"adapter_type": "duckdb", "project_name": "portmesh"}
    return CheckedMesh(manifest | {"metadata": metadata, "macros": dict(macros or {})}, root, today)
