"""Contracts of the Open Data Contract Standard (3.0 to 3.2) as ports. What is not imported is named with the reason."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from jsonschema import Draft201909Validator
from open_data_contract_standard.model import (
    OpenDataContractStandard,
    Role,
    SchemaObject,
    ServiceLevelAgreementProperty,
    Team,
)
from pydantic import ValidationError
from ruamel.yaml.error import YAMLError

from portmesh.contracts.odcs import as_freshness, as_role, to_odcs
from portmesh.contracts.odcs_checks import as_json
from portmesh.contracts.odcs_columns import VENDOR, customs, level_of, port_name, read_column, read_rules
from portmesh.contracts.port_contract import PortContract, ProductFacts, plain, with_dates
from portmesh.contracts.yaml_text import load
from portmesh.errors import UsageError
from portmesh.keys import CLASSIFICATIONS, PortMeta

Place = tuple[str | int, ...]
REASONS = (
    (r"servers\b", "where data lies is set in profiles.yml and infra/"),
    (r"(team|support|stakeholders)\b", "the owner and the channel are the product's: write them in its group"),
    (
        r"(status|domain|dataProduct|tenant|id|name)$",
        "a port is named by its domain and its model; the stage is the product's",
    ),
    (r"price\b", "Portmesh has no prices"),
    (r"roles\b", "a consumer needs a name and a purpose: list it in config.meta.consumers"),
    (r"slaProperties\b", "the only service level of a port is freshness, of a column in its contract"),
    (r".*authoritativeDefinitions\b", "links have no place of their own: write them into the description"),
    (r".*tags\b", "Portmesh does not use tags"),
    (r".*(businessName|synonyms)\b", "a column has one name: write other words into the description"),
    (r".*partition(ed|KeyPosition)$", "set partition_by in the model's config()"),
    (r".*transform\w+\b", "the model's SQL says it"),
    (r".*classification$", "Portmesh classifies the port as a whole, as public, internal, confidential or restricted"),
    (r".*relationships\b", "write a relationships check when the other port is there"),
    (r".*quality\b.*", "a check has no such property"),
    (r"schema.physicalName$", "the table of a port has the port's name"),
    (r".*examples$", "write an example into the description"),
    (r".*customProperties\b", "Portmesh does not know this property"),
    (r".*context\b", "Portmesh has no instructions for AI agents: write them into the description"),
)
"""Why a part of a file is not imported, by the first pattern that its path matches from the start."""
OTHERWISE = "Portmesh has no place for it"
TRIVIAL: tuple[Any, ...] = (None, False, -1, "", [], {})
"""Values that say nothing."""
PERIODS = {"d": "day", "h": "hour", "m": "minute"}
WORDS = {"day": "d", "days": "d", "hour": "h", "hours": "h", "hr": "h", "minute": "m", "minutes": "m", "min": "m"}


@dataclass(frozen=True)
class Left:
    """A part of the file that was not imported. `where` is its path without positions; it occurs so many times."""

    where: str
    why: str
    times: int = 1


@dataclass
class Imported:
    """The ports of a file, what the file says about the product, and what is left."""

    ports: list[PortContract]
    product: ProductFacts
    left: list[Left] = field(default_factory=list)


@dataclass
class _Reading:
    """A file, and which of its parts were imported or left."""

    raw: Mapping[str, Any]
    taken: set[Place] = field(default_factory=set)
    left: list[tuple[Place, str]] = field(default_factory=list)

    def take(self, *path: str | int) -> None:
        self.taken.add(path)

    def leave(self, path: Place, why: str) -> None:
        self.left.append((path, why))
        self.taken.add(path)

    def all_left(self) -> list[Left]:
        """What was left with a reason, and everything that nobody took, with the place that the reason is about."""
        others = {self._reason(path) for path in _leaves(self.raw) if not self._is_taken(path)}
        shown = Counter([(_shown(path), why) for path, why in self.left] + sorted((w, why) for _, w, why in others))
        return [Left(where, why, times) for (where, why), times in shown.items()]

    def _reason(self, path: Place) -> tuple[Place, str, str]:
        """The place that a reason is about, in words, and the reason."""
        found = next((one for one in (re.match(pattern, _shown(path)) for pattern, _ in REASONS) if one), None)
        if not found:
            return path, _shown(path), OTHERWISE
        why = next(why for pattern, why in REASONS if pattern == found.re.pattern)
        parts, length = len(found[0].split(".")), 0
        while parts:
            parts -= isinstance(path[length], str)
            length += 1
        cut, label = path[:length], ""
        if length < len(path) and isinstance(path[length], int):
            cut = path[: length + 1]
            label = _label(self.raw, cut)
        return cut, f"{_shown(cut)}{f' {label}' if label else ''}", why

    def _is_taken(self, path: Place) -> bool:
        return any(path[:length] in self.taken for length in range(1, len(path) + 1))


@dataclass(frozen=True)
class _Part:
    """A part of the file. Paths are from here; reasons name the column."""

    reading: _Reading
    at: Place
    column: str = ""

    def take(self, *path: str | int) -> None:
        self.reading.take(*self.at, *path)

    def leave(self, path: Place, why: str) -> None:
        self.reading.leave((*self.at, *path), f"{self.column}: {why}" if self.column else why)


def _leaves(value: Any, path: Place = ()) -> Iterator[Place]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(value, list) and value:
        for number, one in enumerate(value):
            yield from _leaves(one, (*path, number))
    elif not any(value is one or (value == one and type(value) is type(one)) for one in TRIVIAL):
        yield path


def _shown(path: Place) -> str:
    """`schema.properties.tags`: a path without the positions in lists."""
    return ".".join(part for part in path if isinstance(part, str))


def _label(value: Any, path: Place) -> str:
    """What an item of a list calls itself; empty if it has no name."""
    for part in path:
        value = value[part]
    keys = ("property", "server", "role", "channel", "username", "synonym", "url", "name")
    return next((str(value[key]) for key in keys if key in value), "") if isinstance(value, Mapping) else str(value)


def read_odcs(text: str, path: str) -> tuple[OpenDataContractStandard, Mapping[str, Any]]:
    """A contract and its raw content. Raises UsageError if the file is no contract of ODCS 3."""
    try:
        raw = as_json(load(text))
    except YAMLError as error:
        said = " ".join(str(error).split())[:300]
        raise UsageError("The file is no YAML.", [("file", path), ("said", said)]) from error
    kind = raw.get("kind") if isinstance(raw, dict) else None
    version = str(raw.get("apiVersion", "")) if isinstance(raw, dict) else ""
    if kind != "DataContract" or not re.fullmatch(r"v3\.[012]\.\d+", version):
        got = f"kind {kind or 'missing'}, apiVersion {version or 'missing'}"
        facts = [("file", path), ("got", got), ("allowed", "kind: DataContract, apiVersion: v3.0.0 to v3.2.0")]
        raise UsageError("The file is no contract of the Open Data Contract Standard 3.", facts)
    if not version.startswith("v3.2"):
        return _validated(raw, path), raw
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    found = list(Draft201909Validator(schema).iter_errors(raw))
    if found:
        facts = [(".".join(map(str, one.absolute_path)) or "the file", one.message[:200]) for one in found[:5]]
        message = "The file does not fit the standard's own schema."
        raise UsageError(
            message, [("file", path), *facts], "datacontract lint says more", {"file": path, **dict(facts)}
        )
    return _validated(raw, path), raw


def _validated(raw: Mapping[str, Any], path: str) -> OpenDataContractStandard:
    """The contract by the published models. Only the newest version of the standard has its JSON Schema in them."""
    try:
        return OpenDataContractStandard.model_validate(raw)
    except ValidationError as error:
        facts = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()[:5]]
        message = "The file does not fit the standard."
        raise UsageError(
            message, [("file", path), *facts], "datacontract lint says more", {"file": path, **dict(facts)}
        ) from error


def from_odcs(contract: OpenDataContractStandard, raw: Mapping[str, Any], domain: str) -> Imported:
    """The ports that a contract describes, one for each of its tables, in a domain."""
    reading = _Reading(raw)
    for key in ("apiVersion", "kind"):
        reading.take(key)
    product = _product(contract, reading)
    tables = [str(one.physicalName or one.name) for one in contract.schema_ or []]
    ports = [
        _port(contract, number, domain, reading, [*tables, *(str(one.name) for one in contract.schema_ or [])])
        for number in range(len(tables))
    ]
    _take_ours(raw, (), reading)
    if not ports:
        reading.leave(("schema",), "the contract has no table, so there is no port")
    return Imported(ports, product, reading.all_left())


def _take_ours(value: Any, path: Place, reading: _Reading) -> None:
    """Custom properties of the vendor portmesh are ours: what of them counts was read."""
    if isinstance(value, Mapping):
        if value.get("vendor") == VENDOR and "property" in value:
            reading.take(*path)
        for key, one in value.items():
            _take_ours(one, (*path, str(key)), reading)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            _take_ours(one, (*path, number), reading)


def _product(contract: OpenDataContractStandard, reading: _Reading) -> ProductFacts:
    """What the contract says about its product. The caller compares it with the domain's group."""
    own = customs(contract.customProperties)
    facts = ProductFacts(name=str(contract.dataProduct or ""), stage=str(contract.status or ""))
    if isinstance(own.get("product"), Mapping):
        for key in ("kind", "engine", "description", "github"):
            setattr(facts, key, str(own["product"].get(key, "")))
    members = contract.team.members or [] if isinstance(contract.team, Team) else contract.team or []
    owner = next((one for one in members if "owner" in str(one.role).lower()), None)
    facts.owner_name = (contract.team.name if isinstance(contract.team, Team) else "") or (owner and owner.name) or ""
    email = str(owner.username) if owner else ""
    facts.owner_email = email if "@" in email else ""
    channels = [one for one in contract.support or [] if one.tool != "email"]
    facts.channel = str(channels[0].channel) if channels else ""
    facts.purpose = str((contract.description and contract.description.purpose) or "")
    if "port" in own:
        # A file of ours: the caller names what differs from the product's group.
        for key in ("id", "name", "status", "domain", "dataProduct", "team", "support", "servers"):
            reading.take(key)
        reading.take("description", "purpose")
    return facts


def _port(
    contract: OpenDataContractStandard, number: int, domain: str, reading: _Reading, tables: list[str]
) -> PortContract:
    table, at = (contract.schema_ or [])[number], ("schema", number)
    own = customs(contract.customProperties)
    port = PortContract(domain, *_name(own, table, at, reading))
    port.description = _description(contract, table, at, reading, is_ours="port" in own)
    port.meta = _meta(contract, own, reading)
    kept = plain(load(own["yaml"])) if isinstance(own.get("yaml"), str) else {}
    port.rest = kept.get("model", {})
    for key in ("physicalType", "logicalType"):
        reading.take(*at, key)
    for place, given in enumerate(table.properties or []):
        here = (*at, "properties", place)
        part = _Part(reading, here, str(given.name))
        column = read_column(given, part.take, part.leave, tables)
        if column is not None:
            port.columns.append(column)
    port.checks = _checks(table, port, at, reading)
    _classify(table, port, own, at, reading)
    _set_freshness(contract, port, table, reading)
    port.meta |= with_dates(kept.get("meta", {}))
    order = [key for key in PortMeta.model_fields if key in port.meta]
    port.meta = {key: port.meta[key] for key in [*order, *(key for key in port.meta if key not in order)]}
    return port


def _name(own: Mapping[str, Any], table: SchemaObject, at: Place, reading: _Reading) -> tuple[str, str]:
    """The port's name and its model version."""
    reading.take(*at, "id")
    given = str(table.name)
    ours = own.get("port")
    if isinstance(ours, Mapping) and ours.get("name") == given:
        reading.take(*at, "name")
        reading.take(*at, "physicalName")
        return given, str(ours.get("version") or "")
    name = port_name(given)
    reading.take(*at, "name")
    if name != given:
        reading.left.append(((*at, "name"), f"{given} became {name}: ports have lower-case names"))
    return name, ""


def _description(
    contract: OpenDataContractStandard, table: SchemaObject, at: Place, reading: _Reading, is_ours: bool
) -> str:
    """The table's description; behind it, what the contract says for all its tables."""
    reading.take(*at, "description")
    parts = [str(table.description or "").strip()]
    if table.dataGranularityDescription:
        reading.take(*at, "dataGranularityDescription")
        parts.append(f"Grain: {table.dataGranularityDescription.strip()}")
    for key in () if is_ours else ("purpose", "usage", "limitations"):
        text = getattr(contract.description, key, None) if contract.description else None
        if text:
            reading.take("description", key)
            parts.append(f"{key.capitalize()}: {text.strip()}")
    return "\n\n".join(part for part in parts if part)


def _meta(contract: OpenDataContractStandard, own: Mapping[str, Any], reading: _Reading) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    reading.take("version")
    version = _version(str(contract.version or ""))
    if version:
        meta["version"] = version
    if version != contract.version:
        why = f"{contract.version} became {version}" if version else f"{contract.version} is not three numbers: set one"
        reading.left.append((("version",), f"{why}: a contract version has three numbers"))
    if isinstance(own.get("subject"), Mapping):
        meta["subject"] = plain(own["subject"])
    consumers = [_consumer(role, number, reading) for number, role in enumerate(contract.roles or [])]
    if any(consumers):
        meta["consumers"] = [one for one in consumers if one]
    return meta


def _version(given: str) -> str:
    """`v1.2` as `1.2.0`; empty if it is no number."""
    found = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", given.strip())
    return ".".join(part or "0" for part in found.groups()) if found else ""


def _consumer(role: Role, number: int, reading: _Reading) -> dict[str, Any] | None:
    """The consumer that a role of ours stands for. A role of somebody else is left."""
    given = customs(role.customProperties).get("consumer")
    if not isinstance(given, Mapping):
        return None
    reading.take("roles", number)
    consumer: dict[str, Any] = plain(given)
    if as_role(consumer) != role:
        consumer |= {"name": role.role} | ({"purpose": role.description} if role.description else {})
    found: dict[str, Any] = with_dates(consumer)
    return found


def _checks(table: SchemaObject, port: PortContract, at: Place, reading: _Reading) -> list[Any]:
    """Checks of the whole table: those of a key first."""
    text = customs(table.customProperties).get("checks")
    if isinstance(text, str):
        kept = plain(load(text) or [])
        again = to_odcs(PortContract(port.domain, port.name, checks=kept), ProductFacts(port.domain)).schema_ or []
        if again[0].quality == table.quality:
            reading.take(*at, "quality")
            return list(kept)
        reading.left.append(((*at, "quality"), "the file was changed after its export: its checks come from the rules"))
    keys = sorted(
        (one for one in table.properties or [] if one.primaryKey), key=lambda one: one.primaryKeyPosition or 1
    )
    names = [str(one.physicalName or one.name) for one in keys]
    stated = {
        one["name"] for one in port.columns if any(c.get("type") == "primary_key" for c in one.get("constraints", []))
    }
    is_stated = set(names) <= stated
    checks: list[Any] = []
    if len(names) > 1 and not is_stated:
        checks.append({"unique_combination": {"arguments": {"columns": names}}})
    for column in port.columns if len(names) == 1 else []:
        has_constraint = any(one.get("type") == "primary_key" for one in column.get("constraints", []))
        if column["name"] == names[0] and not has_constraint and "unique" not in column.setdefault("data_tests", []):
            column["data_tests"].insert("not_null" in column["data_tests"][:1], "unique")
    part = _Part(reading, at)
    return checks + read_rules(table.quality or [], "", part.take, part.leave)


def _classify(table: SchemaObject, port: PortContract, own: Mapping[str, Any], at: Place, reading: _Reading) -> None:
    """The port is classified as its most sensitive column; a column that says something else gets a level."""
    given = {str(one.physicalName or one.name): str(one.classification or "") for one in table.properties or []}
    kept = str(own.get("classification") or "")
    columns = {str(one["name"]): one for one in port.columns}
    if "port" in own and all(given.get(name) == (level_of(one) or kept) for name, one in columns.items()):
        port.meta |= {"classification": kept} if kept else {}
        return
    known = {name: value.lower() for name, value in given.items() if value.lower() in CLASSIFICATIONS}
    found = max(known.values(), key=CLASSIFICATIONS.index, default="")
    for name, column in columns.items():
        if name in known and known[name] not in (found, level_of(column)):
            column.setdefault("config", {}).setdefault("meta", {})["level"] = known[name]
    foreign = sorted({value for value in given.values() if value and value.lower() not in CLASSIFICATIONS})
    where = (*at, "properties", "classification")
    if foreign:
        reading.left.append((where, f"{', '.join(foreign)}: the levels are {', '.join(CLASSIFICATIONS)}"))
    if found:
        port.meta["classification"] = found
    else:
        reading.left.append(
            (where, "no column has a level that Portmesh knows: set config.meta.classification (PM103)")
        )


def _set_freshness(
    contract: OpenDataContractStandard, port: PortContract, table: SchemaObject, reading: _Reading
) -> None:
    columns = {str(one.get("name")) for one in port.columns}
    for number, sla in enumerate(contract.slaProperties or []):
        found = _freshness_of(sla, columns, {str(table.name), str(table.physicalName)}, port.name)
        if found and "freshness" not in port.meta:
            port.meta["freshness"] = found
            for key in ("property", "value", "unit", "element"):
                reading.take("slaProperties", number, key)


def _freshness_of(
    sla: ServiceLevelAgreementProperty, columns: set[str], tables: set[str], name: str
) -> dict[str, Any] | None:
    """`freshness` of a port, if a service level is one about a column of it."""
    kept = customs(sla.customProperties).get("freshness")
    if isinstance(kept, Mapping) and as_freshness(plain(kept), name) == [sla]:
        return dict(plain(kept))
    table, _, column = str(sla.element or "").rpartition(".")
    if sla.property not in ("freshness", "latency", "ly") or column not in columns or (table and table not in tables):
        return None
    count, unit = _span(sla.value, str(sla.unit or "d"))
    return {"column": column, "error_after": {"count": count, "period": PERIODS[unit]}} if unit in PERIODS else None


def _span(value: Any, unit: str) -> tuple[int | float, str]:
    """The number and the unit of a span, such as `4` and `d`, or `PT36H`. The unit is empty if it is none."""
    duration = re.fullmatch(r"P(?:T(\d+)([HM])|(\d+)(D))", str(value))
    if duration:
        number, letter = (part for part in duration.groups() if part)
        return int(number), letter.lower()
    try:
        count = float(value)
    except (TypeError, ValueError):
        return 0, ""
    short = WORDS.get(unit.lower(), unit.lower())
    return (int(count) if count == int(count) else count), short if count > 0 else ""
