"""Columns in ODCS' words: properties of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from open_data_contract_standard.model import CustomProperty, EnumValue, Relationship, SchemaProperty

from portmesh.contracts.odcs_checks import (
    NotAPortmeshCheckError,
    as_json,
    from_quality,
    read_check,
    to_rules,
)
from portmesh.contracts.port_contract import PortContract, dump, plain
from portmesh.contracts.types import data_type, logical_type
from portmesh.contracts.yaml_text import load

VENDOR = "portmesh"
OF_A_RULE = (
    *("type", "metric", "rule", "unit", "arguments", "name", "description", "dimension", "severity", "engine"),
    *("implementation", "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan"),
    *("mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween"),
)
"""What a check has of a quality rule. The rest of the rule is named when it is imported."""
Leave = Callable[[tuple[str | int, ...], str], None]
"""Says that a part of the file is not imported, and why."""
Take = Callable[..., None]
"""Says that a part of the file is imported."""


def custom(name: str, value: Any) -> CustomProperty:
    """A custom property of ours."""
    return CustomProperty(property=name, value=value, vendor=VENDOR)


def customs(given: Sequence[CustomProperty] | None) -> dict[str, Any]:
    """Our custom properties by name."""
    return {str(one.property): one.value for one in given or [] if one.vendor == VENDOR}


def stable_id(name: str) -> str | None:
    """A name as an id of the standard, by which other files refer to it; none if it has other characters."""
    return name if name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() else None


def to_property(column: Mapping[str, Any], port: PortContract) -> SchemaProperty:
    """A column: plain `not_null` and `unique` are the standard's own fields, other checks are its quality rules."""
    tests = [*(column.get("data_tests") or column.get("tests") or [])]
    constraints = {str(one.get("type")) for one in column.get("constraints") or []}
    plain_kinds = {check.kind for check in map(read_check, tests) if check.is_plain}
    required = "not_null" in plain_kinds | constraints or "primary_key" in constraints
    unique = "unique" in plain_kinds | constraints or "primary_key" in constraints
    others = [one for one in tests if not (read_check(one).is_plain and read_check(one).kind in ("not_null", "unique"))]
    enum = next((one for one in others if _is_enum(one)), None)
    others = [one for one in others if one is not enum]
    kept = {key: value for key, value in column.items() if key not in ("name", "description", "data_type")}
    type_ = str(column.get("data_type") or "")
    found = SchemaProperty(
        id=stable_id(str(column["name"])),
        name=str(column["name"]),
        physicalType=type_ or None,
        logicalType=logical_type(type_) or None,
        description=column.get("description") or None,
        required=True if required else None,
        unique=True if unique else None,
        primaryKey=True if "primary_key" in constraints else None,
        classification=level_of(column) or port.meta.get("classification"),
        enum=[EnumValue(value=as_json(one)) for one in read_check(enum).arguments["values"]] if enum else None,
        relationships=[found for one in others if (found := _relationship(one, port))] or None,
        quality=to_rules(others),
    )
    if _native(found, _ignore, _ignore, ()) != plain(column):
        found.customProperties = [custom("column", dump(kept))]
    return found


def level_of(column: Mapping[str, Any]) -> str:
    """How sensitive a column is, if it says something else than its port."""
    return str(((column.get("config") or {}).get("meta") or {}).get("level") or "")


def _ignore(*_: object) -> None:
    """Nobody asks what is imported and what is left."""


def _is_enum(test: Any) -> bool:
    """Whether a check does no more than list the values of a column."""
    check = read_check(test)
    is_bare = not (check.config or check.name or check.description)
    values = check.arguments.get("values") or []
    is_unique = len({str(as_json(one)) for one in values}) == len(values) > 0
    return check.kind == "accepted_values" and is_bare and is_unique and set(check.arguments) <= {"values", "quote"}


def _relationship(test: Any, port: PortContract) -> Relationship | None:
    """The relationship to another port's column. `to` names that port's file as `portmesh export` writes it."""
    check = read_check(test)
    words = str(check.arguments.get("to", "")).replace("'", '"').split('"')
    if check.kind != "relationships" or not str(check.arguments.get("field")) or len(words) not in (3, 5):
        return None
    domain, name = (port.domain, words[1]) if len(words) == 3 else (words[1], words[3])
    return Relationship(
        type="foreignKey", to=f"{domain}.{name}.odcs.yaml#/schema/{name}/properties/{check.arguments['field']}"
    )


def read_column(given: SchemaProperty, take: Take, leave: Leave, tables: Collection[str]) -> dict[str, Any] | None:
    """The column that a property describes; None if its type is no type of a contract. `tables` are those of the file.

    The checks in Portmesh's own words count if the standard's fields say the same.
    """
    kept = _kept(given)
    if kept is not None:
        take()
        return kept
    found = _native(given, take, leave, tables)
    own = customs(given.customProperties)
    if found is not None and "column" in own:
        leave(
            ("customProperties",), "the file was changed after its export: its checks come from the standard's fields"
        )
    return found


def _kept(given: SchemaProperty) -> dict[str, Any] | None:
    """The column in Portmesh's own words; None if there are none, or if the standard's fields say something else."""
    text = customs(given.customProperties).get("column")
    if not isinstance(text, str):
        return None
    column = _named(given, given.physicalType or "") | plain(load(text) or {})
    again = to_property(column, PortContract("", "", meta={"classification": given.classification}))
    same = _said(given) == _said(again, relationships=given.relationships)
    return column if same else None


def _said(given: SchemaProperty, **more: Any) -> dict[str, Any]:
    """What a property says in the standard's own fields. Where a relationship leads depends on the file's domain."""
    found = given.model_copy(update={"customProperties": None, **more})
    return found.model_dump(exclude_none=True, by_alias=True)


def _named(given: SchemaProperty, type_: str) -> dict[str, Any]:
    facts = {"name": given.physicalName or given.name, "data_type": type_, "description": given.description}
    return {key: value for key, value in facts.items() if value}


def _native(given: SchemaProperty, take: Take, leave: Leave, tables: Collection[str]) -> dict[str, Any] | None:
    type_ = data_type(given.logicalType or "", given.physicalType or "")
    if not type_:
        words = given.physicalType or given.logicalType or "no type"
        leave((), f"{words} is no type of a contract: make columns of it in the model")
        return None
    if given.physicalName and given.physicalName != given.name:
        leave(("name",), f"the column is called {given.physicalName}, as in the table: write the other name behind it")
    for key in ("name", "physicalName", "physicalType", "logicalType", "description", "required", "unique", "id"):
        take(key)
    take("classification")
    column = _named(given, type_)
    if "description" not in column and given.businessName:
        column["description"] = given.businessName
        take("businessName")
    tests: list[Any] = []
    tests += ["not_null"] if given.required or given.primaryKey else []
    tests += ["unique"] if given.unique else []
    if given.primaryKey:
        # The reader of the table adds `unique`, because a key may have several columns.
        take("primaryKey")
        take("primaryKeyPosition")
    tests += _of_values(given, type_, take, leave)
    rules = read_rules(given.quality or [], str(column["name"]), take, leave)
    tests += [*_of_relationships(given, rules, take, leave, tables), *rules]
    unique_tests = [one for number, one in enumerate(tests) if one not in tests[:number]]
    return column | ({"data_tests": unique_tests} if unique_tests else {})


def _of_values(given: SchemaProperty, type_: str, take: Take, leave: Leave) -> list[Any]:
    """Checks for `enum` and for the options of the logical type."""
    options, tests = dict(given.logicalTypeOptions or {}), []
    is_text = type_ in ("string", "date", "timestamp")
    if given.enum:
        values = [one.value for one in given.enum]
        arguments: dict[str, Any] = {"values": values} | ({} if is_text else {"quote": False})
        tests.append({"accepted_values": {"arguments": arguments}})
        for number in range(len(given.enum)):
            take("enum", number, "value")
    bounds = {"min_value": options.pop("minimum", None), "max_value": options.pop("maximum", None)}
    bounds = {key: _bound(value, type_) for key, value in bounds.items() if value is not None}
    if bounds:
        tests.append({"accepted_range": {"arguments": bounds}})
        take("logicalTypeOptions", "minimum")
        take("logicalTypeOptions", "maximum")
    if "pattern" in options:
        tests.append({"matches_pattern": {"arguments": {"pattern": options.pop("pattern")}}})
        take("logicalTypeOptions", "pattern")
    name = given.physicalName or given.name
    for key, sql in (
        ("exclusiveMinimum", "{name} > {value}"),
        ("exclusiveMaximum", "{name} < {value}"),
        ("minLength", "length({name}) >= {value}"),
        ("maxLength", "length({name}) <= {value}"),
    ):
        if key in options:
            expression = sql.format(name=name, value=_bound(options.pop(key), type_))
            tests.append({"expression_is_true": {"arguments": {"expression": expression}}})
            take("logicalTypeOptions", key)
    for key in options:
        leave(("logicalTypeOptions", key), "no shared check measures it: write matches_pattern or a test of your own")
    return tests


def _bound(value: Any, type_: str) -> Any:
    """A bound as SQL, if it is the text of a date or time."""
    return f"{type_} '{value}'" if type_ in ("date", "timestamp") and not isinstance(value, int | float) else value


def _of_relationships(
    given: SchemaProperty, rules: list[Any], take: Take, leave: Leave, tables: Collection[str]
) -> list[Any]:
    """Checks for relationships, except those that `rules` already check."""
    tests = []
    for number, one in enumerate(given.relationships or []):
        to = one.to if isinstance(one.to, str) else ""
        table, _, field = to.partition(".")
        ours = [_relationship(rule, PortContract(table, "")) for rule in rules]
        if one.to in [checked.to for checked in ours if checked]:
            take("relationships", number)
        elif table in tables and re.fullmatch(r"\w+", field):
            arguments = {"to": f"ref('{port_name(table)}')", "field": field}
            tests.append({"relationships": {"arguments": arguments}})
            take("relationships", number, "to")
            take("relationships", number, "type")
        else:
            why = f"{to or one.to} is not in this file: add a relationships check when its port is there"
            leave(("relationships", number), why)
    return tests


def read_rules(rules: Sequence[Any], column: str, take: Take, leave: Leave) -> list[Any]:
    """The checks of quality rules. What cannot be a check is left, with the reason."""
    tests = []
    for number, rule in enumerate(rules):
        try:
            tests.append(from_quality(rule, column))
        except NotAPortmeshCheckError as error:
            leave(("quality", number), str(error))
            continue
        for key in OF_A_RULE:
            take("quality", number, key)
    return tests


def port_name(name: str) -> str:
    """A name as a port may have it: lower-case letters, digits and _."""
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "table"
    return found if found[0].isalpha() else f"t_{found}"
