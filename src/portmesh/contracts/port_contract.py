"""The contract of one port, as its YAML says it: the common form of everything that is exported and imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from portmesh.contracts.yaml_text import load
from portmesh.errors import FindingsError
from portmesh.mesh import docs_name


@dataclass
class PortContract:
    """What a port's YAML says. `checks` are those of the whole table; `rest` has the other keys of the model.

    `schema` and `table` are what the port is called on the target; they are no part of the contract.
    """

    domain: str
    name: str
    model_version: str = ""
    description: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    checks: list[Any] = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)
    schema: str = field(default="", compare=False)
    table: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        return f"{self.domain}.{self.name}" + (f".v{self.model_version}" if self.model_version else "")

    @property
    def block(self) -> str:
        """The call that puts the port's catalog page behind its description."""
        version = f"_v{self.model_version}" if self.model_version else ""
        return f"{{{{ doc('{docs_name(self.domain, self.name + version)}') }}}}"


@dataclass
class ProductFacts:
    """What a product's group says, which the contracts of its ports repeat."""

    name: str
    description: str = ""
    owner_name: str = ""
    owner_email: str = ""
    kind: str = ""
    stage: str = ""
    engine: str = ""
    purpose: str = ""
    channel: str = ""
    github: str = ""


def read_contracts(manifest: Mapping[str, Any], root: Path) -> list[PortContract]:
    """The contracts of all ports of a manifest, from their YAML files, in the order of their labels.

    A version has the columns and keys of the model, as dbt resolves them.
    """
    ports = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    ports = [node for node in ports if node["config"].get("materialized") == "output_port" and node.get("patch_path")]
    found = {node["unique_id"]: _read(node, root) for node in ports}
    return sorted(found.values(), key=lambda port: port.label)


def read_products(manifest: Mapping[str, Any]) -> dict[str, ProductFacts]:
    """The products by name."""
    found = {}
    for group in map(plain, manifest["groups"].values()):
        owner, meta = group["owner"], (group.get("config") or {}).get("meta") or {}
        email = owner.get("email")
        found[group["name"]] = ProductFacts(
            name=group["name"],
            description=" ".join((group.get("description") or "").split()),
            owner_name=owner.get("name") or "",
            github=str(owner.get("github") or ""),
            owner_email=(next(iter(email), "") if isinstance(email, list) else email) or "",
            **{key: str(meta.get(key) or "") for key in ("kind", "stage", "engine", "purpose", "channel")},
        )
    return found


def _read(node: Mapping[str, Any], root: Path) -> PortContract:
    domain = plain(node["package_name"])
    path = root / "domains" / domain / node["patch_path"].partition("://")[2]
    content = load(path.read_text(encoding="utf-8-sig")) or {}
    entry = next((one for one in content.get("models") or [] if one.get("name") == node["name"]), None)
    if entry is None:
        raise FindingsError(f"{domain}.{node['name']} is not in its YAML.", [("file", str(path))], "dbt parse")
    version = str(node["version"]) if node.get("version") else ""
    found = contract_of(domain, entry, version)
    found.meta = with_dates(node["config"].get("meta") or {})
    found.schema, found.table = plain(node["schema"]), plain(node["alias"])
    return found


def contract_of(domain: str, entry: Mapping[str, Any], version: str = "") -> PortContract:
    """The contract that an entry under `models:` states, or one of its versions."""
    entry = plain(entry)
    versions = entry.get("versions") or []
    own: dict[str, Any] = next((one for one in versions if str(one.get("v")) == version), {})
    columns, config = _columns(entry, own), {**(entry.get("config") or {}), **(own.get("config") or {})}
    meta = {**((entry.get("config") or {}).get("meta") or {}), **((own.get("config") or {}).get("meta") or {})}
    description = str(own.get("description") or entry.get("description") or "")
    rest = {key: value for key, value in {**entry, **own}.items() if key not in _READ}
    if set(config) - {"meta"}:
        rest["config"] = {key: value for key, value in config.items() if key != "meta"}
    found = PortContract(domain, str(entry["name"]), version, "", with_dates(meta), columns)
    found.checks = own.get("data_tests") or own.get("tests") or entry.get("data_tests") or entry.get("tests") or []
    found.description = description.replace(found.block, "").strip()
    found.rest = rest
    return found


_READ = (
    "name",
    "description",
    "columns",
    "data_tests",
    "tests",
    "config",
    "versions",
    "v",
    "latest_version",
    "defined_in",
)


def _columns(entry: Mapping[str, Any], own: Mapping[str, Any]) -> list[dict[str, Any]]:
    base = [one for one in entry.get("columns") or [] if "name" in one]
    listed = own.get("columns")
    if listed is None:
        return base
    rule: Mapping[str, Any] = next((one for one in listed if "include" in one or "exclude" in one), {})
    included, excluded = rule.get("include", []), rule.get("exclude") or []
    kept = [one for one in base if included in ("all", "*") or one["name"] in included]
    return [one for one in kept if one["name"] not in excluded] + [one for one in listed if "name" in one]


def with_dates(value: Any) -> Any:
    """Last days as dates, as YAML has them; dbt makes texts of them."""
    if isinstance(value, list):
        return [with_dates(one) for one in value]
    if not isinstance(value, Mapping):
        return plain(value)
    found = {str(key): with_dates(one) for key, one in value.items()}
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(found.get("until"))) and not isinstance(found["until"], date):
        found["until"] = date.fromisoformat(found["until"])
    return found


def plain(value: Any) -> Any:
    """Only dictionaries, lists and plain values, independent of the given ones."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, str):
        # dbt has strings of its own, which a YAML writer does not know.
        return "".join([*value])
    return value if value is None or isinstance(value, int | float | bool | date) else str(value)


def as_entry(port: PortContract) -> dict[str, Any]:
    """The entry under `models:` that states a contract. `contract_of` reads it back."""
    config = {**port.rest.get("config", {}), **({"meta": port.meta} if port.meta else {})}
    entry: dict[str, Any] = {"name": port.name}
    # Without the block of its catalog page, which is there only when the port's model is.
    entry |= {"description": f"{port.description}\n"} if port.description else {}
    entry |= {key: value for key, value in port.rest.items() if key != "config"}
    entry |= {"config": config} if config else {}
    entry |= {"data_tests": port.checks} if port.checks else {}
    entry |= {"columns": port.columns} if port.columns else {}
    if port.model_version:
        version = int(port.model_version) if port.model_version.isdigit() else port.model_version
        entry["versions"] = [{"v": version}]
    return entry


def to_yaml(port: PortContract) -> str:
    """The text of the port's YAML file."""
    return dump({"models": [as_entry(port)]})


def dump(value: Any) -> str:
    """YAML as people write it: keys in the given order, texts of several lines as blocks."""
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.width = 4096
    stream = StringIO()
    writer.dump(_as_blocks(value), stream)
    return stream.getvalue()


def _as_blocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_blocks(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_blocks(one) for one in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value
