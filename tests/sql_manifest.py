"""Manifests made of SQL in a test, as dbt would compile them. No dbt runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RELATIONS = {"duckdb": '"mesh"."{}"."{}"', "spark": "{}.{}", "athena": '"awsdatacatalog"."{}"."{}"'}


def model(
    name: str, sql: str, parents: Sequence[str] = (), adapter: str = "duckdb", **more: Any
) -> dict[str, dict[str, Any]]:
    """A node of a manifest, by its id: `name` is `<domain>.<model>` or `<domain>.<model>.v2`.

    `parents` are ids. `contract` is a mapping of columns to types; `columns` are such as YAML declares without one.
    """
    domain, short, *version = name.split(".")
    id_ = f"model.{name}"
    contract, columns = more.pop("contract", None), more.pop("columns", {})
    config = {"contract": {"enforced": contract is not None}, "materialized": "table", **more.pop("config", {})}
    listed = contract if contract is not None else columns
    alias = "_".join([short, *version])
    node = {
        "unique_id": id_,
        "resource_type": "model",
        "package_name": domain,
        "name": short,
        "alias": alias,
        "version": version[0].removeprefix("v") if version else None,
        "language": "sql",
        "relation_name": RELATIONS[adapter].format(domain, alias),
        "compiled_code": sql,
        "config": config,
        "columns": {column: {"name": column, "data_type": type_} for column, type_ in listed.items()},
        "depends_on": {"nodes": list(parents), "macros": []},
        "extra_ctes": [],
    }
    return {id_: {**node, **more}}


def source(name: str, columns: Mapping[str, str] | Sequence[str] = (), adapter: str = "duckdb", **more: Any) -> Any:
    """A source of a manifest, by its id: `name` is `<source>.<table>`. Its YAML never lists all columns."""
    of, table = name.split(".")
    types = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, "")
    node = {
        "unique_id": f"source.shop.{name}",
        "resource_type": "source",
        "package_name": "shop",
        "source_name": of,
        "name": table,
        "identifier": table,
        "schema": of,
        "relation_name": RELATIONS[adapter].format(of, table),
        "config": {},
        "columns": {column: {"name": column, "data_type": type_} for column, type_ in types.items()},
    }
    return {node["unique_id"]: {**node, **more}}


def manifest(*nodes: Mapping[str, dict[str, Any]], adapter: str = "duckdb") -> dict[str, Any]:
    """A manifest of these nodes and sources."""
    listed = {id_: node for each in nodes for id_, node in each.items()}
    return {
        "metadata": {"adapter_type": adapter, "project_name": "portmesh"},
        "nodes": {id_: node for id_, node in listed.items() if node["resource_type"] != "source"},
        "sources": {id_: node for id_, node in listed.items() if node["resource_type"] == "source"},
    }
