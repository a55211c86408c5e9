"""Checks in ODCS' words: `quality` of a property or a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from open_data_contract_standard.model import DataQuality

ENGINE = "dbt"
"""The engine of ODCS' custom checks: dbt's own YAML of a data test."""
DIMENSIONS = {
    "not_null": "completeness",
    "not_null_share": "completeness",
    "row_count_between": "completeness",
    "unique": "uniqueness",
    "unique_combination": "uniqueness",
    "fresh_within": "timeliness",
}
OF_US = {"conformity": "accuracy", "consistency": "accuracy", "coverage": "completeness"}
"""ODCS has seven dimensions, Portmesh four."""
LIMIT = re.compile(r"\s*(>=|>|!=)\s*(\d+)\s*")


@dataclass
class Check:
    """A data test as YAML has it: `unique`, or `{unique: {arguments: …, config: …}}`."""

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    description: str = ""

    @property
    def is_plain(self) -> bool:
        return not (self.arguments or self.config or self.name or self.description)

    @property
    def as_yaml(self) -> Any:
        body = {"name": self.name, "description": self.description, "arguments": self.arguments, "config": self.config}
        kept = {key: value for key, value in body.items() if value}
        return {self.kind: kept} if kept else self.kind


def read_check(test: Any) -> Check:
    """A check from its YAML. Arguments may also stand beside the other keys, as dbt had them before."""
    if isinstance(test, str):
        return Check(test)
    test = dict(test)
    if "test_name" in test:
        kind, body = test.pop("test_name"), test
    else:
        ((kind, body),) = test.items()
    body = dict(body or {})
    arguments = {**body.pop("arguments", {})}
    config, name, description = body.pop("config", {}), body.pop("name", ""), body.pop("description", "")
    config = {**config, **{key: body.pop(key) for key in ("severity", "where", "warn_if", "error_if") if key in body}}
    return Check(kind, {**arguments, **body}, config, name, description)


def to_rules(tests: Iterable[Any]) -> list[DataQuality] | None:
    """The rules of a column or a table; none without checks.

    A metric stands only once, because tools tell the rules of a column apart by their metrics.
    """
    rules: list[DataQuality] = []
    for test in tests:
        rule = to_quality(test)
        is_new = rule.metric is None or rule.metric not in {one.metric for one in rules}
        rules.append(rule if is_new else _of_engine(read_check(test)))
    return rules or None


def to_quality(test: Any) -> DataQuality:
    """The rule that says the same as a check, in the standard's own metrics or SQL where it has them."""
    check = read_check(test)
    native = _native(check) if not set(check.config) - {"severity", "error_if", "warn_if", "meta"} else None
    limit = _limit(check)
    if native is None or limit is None or (limit != {"mustBe": 0} and "counts" not in native):
        return _of_engine(check)
    native.pop("counts", None)
    has_limit = any(key.startswith("mustBe") for key in native)
    return DataQuality(**_about(check), **(native if has_limit else native | limit))


def _of_engine(check: Check) -> DataQuality:
    """A rule that only dbt can measure, as dbt's own YAML."""
    return DataQuality(
        **_about(check), type="custom", engine=ENGINE, implementation=as_json({check.kind: _body(check)})
    )


def _about(check: Check) -> dict[str, Any]:
    meta = check.config.get("meta") or {}
    return {
        "name": check.name or None,
        "description": check.description or None,
        "dimension": meta.get("dimension") or DIMENSIONS.get(check.kind, "accuracy"),
        "severity": "warning" if str(check.config.get("severity", "")).lower() == "warn" else "error",
    }


def _body(check: Check) -> dict[str, Any]:
    found = check.as_yaml
    return found[check.kind] if isinstance(found, dict) else {}


def as_json(value: Any) -> Any:
    """A value without dates, which become texts: the standard's values are JSON's."""
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _limit(check: Check) -> dict[str, Any] | None:
    """How many rows may fail. None if the standard cannot say it."""
    severity = str(check.config.get("severity", "error")).lower()
    text = str(check.config.get("warn_if" if severity == "warn" else "error_if", "!= 0"))
    found = LIMIT.fullmatch(text)
    if not found:
        return None
    number = int(found[2])
    if found[1] == "!=":
        return {"mustBe": 0} if number == 0 else None
    return {"mustBeLessOrEqualTo": number} if found[1] == ">" else {"mustBeLessThan": number}


def _native(check: Check) -> dict[str, Any] | None:
    """The rule without its limit; `counts` if any limit on the number of rows fits. None: only dbt can say it."""
    given = check.arguments
    if check.kind == "not_null" and not given:
        return {"type": "library", "metric": "nullValues", "counts": True}
    if check.kind == "unique" and not given:
        return {"type": "library", "metric": "duplicateValues"}
    if check.kind == "unique_combination" and set(given) == {"columns"}:
        return {"type": "library", "metric": "duplicateValues", "arguments": {"properties": given["columns"]}}
    if check.kind == "accepted_values" and "values" in given and set(given) <= {"values", "quote"}:
        values = {"validValues": as_json(given["values"])}
        return {"type": "library", "metric": "invalidValues", "arguments": values, "counts": True}
    if check.kind == "matches_pattern" and set(given) == {"pattern"}:
        pattern = {"pattern": given["pattern"]}
        return {"type": "library", "metric": "invalidValues", "arguments": pattern, "counts": True}
    if check.kind == "row_count_between":
        return {"type": "library", "metric": "rowCount", **_between(given.get("min_rows"), given.get("max_rows"))}
    if check.kind == "not_null_share" and set(given) == {"at_least"}:
        share = round(100 * (1 - float(given["at_least"])), 10)
        return {"type": "library", "metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": share}
    return _sql(check)


def _between(least: Any, most: Any) -> dict[str, Any]:
    if least is not None and most is not None:
        return {"mustBeBetween": [least, most]} if least != most else {"mustBe": least}
    return {"mustBeGreaterOrEqualTo": least} if most is None else {"mustBeLessOrEqualTo": most}


def _sql(check: Check) -> dict[str, Any] | None:
    """Ranges and expressions as a count of the rows that fail."""
    given = check.arguments
    if check.kind == "expression_is_true" and set(given) == {"expression"}:
        return {
            "type": "sql",
            "query": f"select count(*) from ${{table}} where not ({given['expression']})",
            "counts": True,
        }
    if check.kind == "accepted_range" and set(given) <= {"min_value", "max_value"}:
        bounds = [
            f"${{column}} {sign} {_bound(given[key])}"
            for key, sign in (("min_value", "<"), ("max_value", ">"))
            if given.get(key) is not None
        ]
        return {"type": "sql", "query": f"select count(*) from ${{table}} where {' or '.join(bounds)}", "counts": True}
    return None


def _bound(value: Any) -> str:
    return f"date '{value.isoformat()}'" if isinstance(value, date) else str(value)


class NotAPortmeshCheckError(Exception):
    """A rule that no check of Portmesh states; its text says why."""


def from_quality(rule: DataQuality, column: str) -> Any:
    """The check that a rule of another tool means, as YAML. `column` is empty for a rule of a table.

    Raises NotAPortmeshCheckError with the reason if there is none.
    """
    kind = rule.type or "library"
    if kind == "text":
        raise NotAPortmeshCheckError("a text for people: write it into the description")
    if (
        kind == "custom"
        and rule.engine == ENGINE
        and isinstance(rule.implementation, dict)
        and len(rule.implementation) == 1
    ):
        return _of_dbt(rule)
    if kind == "custom":
        raise NotAPortmeshCheckError(f"it is written for {rule.engine}: write it as a data test")
    if kind == "sql":
        raise NotAPortmeshCheckError(
            "SQL for another database: write it as expression_is_true or as a test of your own"
        )
    check = _from_metric(rule, column)
    if rule.unit and rule.unit not in ("rows", "percent", "percentage", "%"):
        raise NotAPortmeshCheckError(f"the unit {rule.unit} is neither rows nor percent")
    if rule.name:
        check.name = re.sub(r"\W+", "_", rule.name).strip("_").lower()
    if rule.description:
        check.description = rule.description
    _judge(check, rule)
    return check.as_yaml


def _of_dbt(rule: DataQuality) -> Any:
    """dbt's own YAML. Where the rule's severity or dimension says something else, the rule counts."""
    again = to_quality(rule.implementation)
    if (rule.severity, rule.dimension) in ((again.severity, again.dimension), (None, None)):
        return rule.implementation
    check = read_check(rule.implementation)
    _judge(check, rule)
    return check.as_yaml


def _judge(check: Check, rule: DataQuality) -> None:
    """Take the rule's severity and dimension over into the check."""
    severity = "warn" if (rule.severity or "").lower() in ("warning", "warn", "info") else "error"
    if severity != str(check.config.get("severity", "error")).lower():
        check.config["severity"] = severity
    dimension = OF_US.get(rule.dimension or "", rule.dimension)
    if dimension and dimension != DIMENSIONS.get(check.kind, "accuracy"):
        check.config["meta"] = {**check.config.get("meta", {}), "dimension": dimension}


def _from_metric(rule: DataQuality, column: str) -> Check:
    metric, given = rule.metric or rule.rule or "", rule.arguments or {}
    if metric == "rowCount":
        return _row_count(rule)
    if (rule.unit or "rows").lower() in ("percent", "percentage", "%"):
        return _share(rule, metric, column)
    if metric in ("nullValues", "missingValues") and column and not given:
        return _limited(Check("not_null"), rule)
    if metric in ("duplicateValues", "duplicateCount", "unique") and _limit_of(rule) == "!= 0":
        columns = given.get("properties") or ([column] if column else [])
        if columns:
            return Check("unique") if columns == [column] else Check("unique_combination", {"columns": columns})
    if metric in ("invalidValues", "validValues") and column and set(given) <= {"validValues", "pattern"} and given:
        if "validValues" in given and "pattern" not in given:
            return _limited(Check("accepted_values", {"values": given["validValues"]}), rule)
        if "pattern" in given and "validValues" not in given:
            return _limited(Check("matches_pattern", {"pattern": given["pattern"]}), rule)
    raise NotAPortmeshCheckError(
        f"no check measures {metric or 'a rule without a metric'} with these arguments and limits"
    )


def _limit_of(rule: DataQuality) -> str:
    """When the check fails, in dbt's words; empty if no such limit exists."""
    if rule.mustBe == 0 or rule.mustBeLessOrEqualTo == 0 or rule.mustBeLessThan == 1:
        return "!= 0"
    if rule.mustBeLessOrEqualTo is not None:
        return f">{int(rule.mustBeLessOrEqualTo)}"
    return f">={int(rule.mustBeLessThan)}" if rule.mustBeLessThan is not None else ""


def _limited(check: Check, rule: DataQuality) -> Check:
    limit = _limit_of(rule)
    if not limit:
        raise NotAPortmeshCheckError("a check says how many rows may fail at most, and this rule says something else")
    if limit != "!= 0":
        check.config["error_if"] = limit
    return check


def _row_count(rule: DataQuality) -> Check:
    least, most = rule.mustBeGreaterOrEqualTo, rule.mustBeLessOrEqualTo
    if rule.mustBeGreaterThan is not None:
        least = int(rule.mustBeGreaterThan) + 1
    if rule.mustBeLessThan is not None:
        most = int(rule.mustBeLessThan) - 1
    if rule.mustBeBetween:
        least, most = rule.mustBeBetween
    if rule.mustBe is not None:
        least = most = rule.mustBe
    if least is None and most is None:
        raise NotAPortmeshCheckError("row_count_between has a least and a most number of rows, and this rule neither")
    given = {"min_rows": least, "max_rows": most}
    return Check("row_count_between", {key: value for key, value in given.items() if value is not None})


def _share(rule: DataQuality, metric: str, column: str) -> Check:
    most = rule.mustBeLessOrEqualTo if rule.mustBeLessOrEqualTo is not None else rule.mustBeLessThan
    most = 0 if rule.mustBe == 0 else most
    if metric in ("nullValues", "missingValues") and column and not rule.arguments and most is not None:
        return Check("not_null_share", {"at_least": round(1 - float(most) / 100, 10)}) if most else Check("not_null")
    raise NotAPortmeshCheckError(f"no check measures a share of {metric}")
