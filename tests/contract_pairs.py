"""Small manifests for tests of changes, and the pairs of before and after in `tests/diff/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.mesh import REPOSITORY

FILES = sorted((REPOSITORY / "tests/diff").glob("PM*.yml"))
META = {"version": "1.0.0", "classification": "internal"}


@dataclass(frozen=True)
class Pair:
    """One change of a mesh and the lines that are expected of it. `code` is the rule that it shows."""

    code: str
    case: str
    before: dict[str, Any]
    after: dict[str, Any]
    expected: list[str]

    @property
    def id(self) -> str:
        return f"{self.code}: {self.case}"


def read_pairs() -> Iterator[Pair]:
    for file in FILES:
        for given in yaml.safe_load_all(file.read_text()):
            expected = given["expect"] or []
            lines = [expected] if isinstance(expected, str) else expected
            yield Pair(file.stem, given["case"], manifest(given["before"]), manifest(given["after"]), lines)


def manifest(given: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest of schema v12 with what is compared.

    `given` is one port of the domain `shop`, or has `ports`, `models`, `exposures` and `groups`, each a list. A port
    has dbt's own keys, and for short `domain` and `columns: {id: [bigint, not_null]}`. Without a name it is `lines`.
    """
    several = set(given) & {"ports", "models", "exposures", "groups"}
    ports = given.get("ports", []) if several else [given]
    found: dict[str, Any] = {"metadata": {"project_name": "portmesh", "adapter_type": "duckdb"}}
    found |= {kind: {} for kind in ("nodes", "unit_tests", "sources", "exposures", "groups", "docs", "macros")}
    for port in ports:
        _add_model(found, {"materialized": "output_port", "access": "public"} | port)
    for model in given.get("models", []):
        _add_model(found, {"materialized": "table", "access": "protected", "meta": {}} | model)
    for exposure in given.get("exposures", []):
        _add_exposure(found, exposure)
    groups = {one["name"]: one for one in given.get("groups", [])}
    for domain in {node["package_name"] for node in found["nodes"].values()} | set(groups):
        _add_group(found, {"name": domain, **groups.get(domain, {})})
    return found


def _add_model(found: dict[str, Any], given: Mapping[str, Any]) -> None:
    domain, name = given.get("domain", "shop"), given.get("name", "lines")
    version = given.get("version")
    id_ = f"model.{domain}.{name}" + (f".v{version}" if version else "")
    alias = given.get("alias", f"{name}_v{version}" if version else name)
    columns = {column: _listed(tests) for column, tests in (given.get("columns") or {}).items()}
    code = given.get("sql", "select 1 as id")
    meta = (
        META | given["meta"] if given["materialized"] == "output_port" and "meta" in given else given.get("meta", META)
    )
    found["nodes"][id_] = {
        "unique_id": id_,
        "resource_type": "model",
        "package_name": domain,
        "name": name,
        "version": version,
        "latest_version": given.get("latest_version"),
        "deprecation_date": given.get("deprecation_date"),
        "database": "mesh",
        "schema": domain,
        "alias": alias,
        "relation_name": f'"mesh"."{domain}"."{alias}"',
        "fqn": [domain, name],
        "original_file_path": f"models/{name}.sql",
        "patch_path": f"{domain}://models/{name}.yml",
        "description": given.get("description", "One row per line."),
        "access": given["access"],
        "config": {
            "materialized": given["materialized"],
            "access": given["access"],
            "unique_key": given.get("unique_key"),
            "meta": meta,
        },
        "columns": {column: _column(column, of_it[0]) for column, of_it in columns.items()},
        "constraints": given.get("constraints", []),
        "language": given.get("language", "sql"),
        "adapter_type": given.get("adapter_type", "duckdb"),
        "raw_code": code,
        "compiled_code": code,
        "checksum": {"name": "sha256", "checksum": code},
        "depends_on": {"nodes": given.get("reads", []), "macros": []},
        "refs": given.get("refs", []),
    }
    for number, test in enumerate(given.get("data_tests", [])):
        _add_test(found, id_, "", test, number)
    for column, of_it in columns.items():
        for number, test in enumerate(of_it[1:]):
            _add_test(found, id_, column, test, number)


def _listed(tests: Any) -> list[Any]:
    return tests if isinstance(tests, list) else [tests]


def _column(name: str, given: Any) -> dict[str, Any]:
    """A column: its type, or dbt's own keys."""
    keys = {"data_type": given} if isinstance(given, str) else given
    return {"name": name, "description": f"The {name.lower()}.", "constraints": [], "config": {"meta": {}}} | keys


def _add_test(found: dict[str, Any], model: str, column: str, given: Any, number: int) -> None:
    """A data test in dbt's YAML, with `arguments` and `config`."""
    ((kind, body),) = given.items() if isinstance(given, dict) else ((given, {}),)
    body = body or {}
    arguments = dict(body.get("arguments", {})) | ({"column_name": column} if column else {})
    name = body.get("name", f"{kind}_{column}_{number}_{abs(hash(str(arguments)))}")
    namespace, _, kind = kind.rpartition(".")
    config = {"severity": "ERROR", "warn_if": "!= 0", "error_if": "!= 0", "fail_calc": "count(*)", "where": None}
    id_ = f"test.shop.{name}.{len(found['nodes'])}"
    found["nodes"][id_] = {
        "unique_id": id_,
        "resource_type": "test",
        "package_name": model.split(".")[1],
        "name": name,
        "alias": name,
        "fqn": [name],
        "original_file_path": "models/lines.yml",
        "description": body.get("description", ""),
        "config": config | {"limit": None, "meta": {}, "materialized": "test"} | body.get("config", {}),
        "columns": {},
        "depends_on": {"nodes": [model], "macros": []},
        "attached_node": model,
        "test_metadata": {
            "name": kind,
            "namespace": namespace or None,
            "kwargs": arguments | {"model": "{{ get_where_subquery(ref('lines')) }}"},
        },
    }


def _add_exposure(found: dict[str, Any], given: Mapping[str, Any]) -> None:
    domain, name = given.get("domain", "shop"), given["name"]
    id_ = f"exposure.{domain}.{name}"
    found["exposures"][id_] = {
        "unique_id": id_,
        "resource_type": "exposure",
        "package_name": domain,
        "name": name,
        "original_file_path": f"models/{name}.yml",
        "owner": {"name": "", "email": f"{name}@example.com"},
        "config": {"meta": given.get("meta", {})},
        "depends_on": {"nodes": given.get("reads", []), "macros": []},
        "refs": given.get("refs", []),
    }


def _add_group(found: dict[str, Any], given: Mapping[str, Any]) -> None:
    name = given["name"]
    found["groups"][f"group.{name}.{name}"] = {
        "unique_id": f"group.{name}.{name}",
        "resource_type": "group",
        "name": name,
        "package_name": name,
        "original_file_path": f"models/{name}.yml",
        "description": f"The product {name}.",
        "owner": given.get("owner", {"name": f"Team {name}", "email": f"{name}@example.com"}),
        "config": {"meta": {"kind": "aggregate", "stage": "active", "engine": "emr"} | given.get("meta", {})},
    }
