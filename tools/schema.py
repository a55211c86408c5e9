"""Write what editors and rules know about Portmesh's own keys, from `src/portmesh/keys.py` and dbt's own JSON Schema.

Usage: python -m tools.schema [--check]

- `schemas/portmesh.schema.json`: dbt's property files, with our keys in the place of dbt's free `config.meta`
- `schemas/portmesh.ports.schema.json`: the same, for files in `output_ports/`
- `macros/rules/lookup/known_keys.sql` and `allowed_values.sql`: the same keys and values, for the rules

With --check nothing is written; exit code 1 if a file is not up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portmesh import keys
from portmesh.lake.contract import LandingContract
from portmesh.scaffold.yaml_port import PortModel

ROOT = Path(__file__).resolve().parents[1]
MODELS: dict[str, type[BaseModel]] = {
    "port": keys.PortMeta,
    "column": keys.ColumnMeta,
    "check": keys.CheckMeta,
    "product": keys.ProductMeta,
    "owner": keys.Owner,
    "exposure": keys.ExposureMeta,
    "source": keys.SourceMeta,
    "source_column": keys.SourceColumnMeta,
}
"""The models by the names that the rules use."""
ELSEWHERE: dict[tuple[str, str], type[BaseModel]] = {
    ("PortMeta", "model"): PortModel,
    ("SourceMeta", "landing"): LandingContract,
}
"""Models of other rooms: what stands under a key of ours. {(model, key): its model}"""
VALUES = {
    "classification": keys.CLASSIFICATIONS,
    "kind": keys.KINDS,
    "stage": keys.STAGES,
    "engine": keys.ENGINES,
    "starts_on": keys.STARTS,
    "dimension": keys.DIMENSIONS,
    "period": keys.PERIODS,
    "exemptible rule": keys.EXEMPTIBLE_RULES,
}
LINE = 110
"""The most characters in a line of a macro's value."""
MACRO = """{{#- {about}
   Written by `python -m tools.schema` from src/portmesh/keys.py. -#}}
{{% macro {name}(of) %}}
  {{{{- return((
      {value}
  )[of]) -}}}}
{{% endmacro %}}
"""


def definitions() -> dict[str, Any]:
    """The JSON Schema of each of our models by its class name. No key is allowed that a model does not have."""
    models = {**MODELS, **{f"{model}.{key}": other for (model, key), other in ELSEWHERE.items()}}
    _, found = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template="#/definitions/{model}"
    )
    ours: dict[str, Any] = found["$defs"]
    for (model, key), other in ELSEWHERE.items():
        ours[model]["properties"][key] = {"anyOf": [{"$ref": f"#/definitions/{other.__name__}"}, {"type": "null"}]}
    for schema in ours.values():
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
    return _without_titles(ours)


def _without_titles(schema: Any) -> Any:
    """Pydantic's titles only repeat the names."""
    if isinstance(schema, list):
        return [_without_titles(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return {key: _without_titles(value) for key, value in kept.items()}


def _meta(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/definitions/{name}"}, {"type": "null"}]}


def property_files() -> dict[str, Any]:
    """dbt's schema of property files with our keys."""
    schema: dict[str, Any] = json.loads(
        (files("dbt.jsonschemas") / "resources/latest.json").read_text(encoding="utf-8")
    )
    dbts = schema["definitions"]
    # dbt itself ignores the case.
    dbts["Severity"]["enum"] = ["error", "warn", *dbts["Severity"]["enum"]]
    dbts["GroupConfig"]["properties"]["meta"] = _meta("ProductMeta")
    dbts["GroupProperties"]["properties"]["owner"] = {"$ref": "#/definitions/Owner"}
    dbts["ExposureConfig"]["properties"]["meta"] = _meta("ExposureMeta")
    for config in ("SourceConfig", "TablesConfig"):
        dbts[config]["properties"]["meta"] = _meta("SourceMeta")
    dbts["SourceColumn"] = _column(dbts, "SourceColumnMeta")
    dbts["PortColumn"] = _column(dbts, "ColumnMeta")
    dbts["Tables"]["properties"]["columns"]["items"] = {"$ref": "#/definitions/SourceColumn"}
    dbts["DataTestConfig"]["properties"]["meta"] = _meta("CheckMeta")
    schema["description"] = "Portmesh's property files. Made from dbt's own schema (dbt Labs, Apache-2.0)."
    return schema | {"definitions": dbts | definitions()}


def _column(dbts: Mapping[str, Any], name: str) -> dict[str, Any]:
    """dbt's column with our `config.meta`."""
    own = {"properties": dbts["ColumnConfig"]["properties"] | {"meta": _meta(name)}}
    config = {"anyOf": [dbts["ColumnConfig"] | own, {"type": "null"}]}
    return dbts["ColumnProperties"] | {"properties": dbts["ColumnProperties"]["properties"] | {"config": config}}


def port_files() -> dict[str, Any]:
    """The schema of property files of ports: what is added to that of property files."""
    at = "portmesh.schema.json"
    config = {"properties": {"meta": {"$ref": f"{at}#/definitions/PortMeta"}}}
    columns = {"items": {"$ref": f"{at}#/definitions/PortColumn"}}
    port = {"config": config, "columns": columns, "versions": {"items": {"properties": {"config": config}}}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Output ports",
        "allOf": [{"$ref": at}, {"properties": {"models": {"items": {"properties": port}}}}],
    }


def known(schema: Mapping[str, Any], ours: Mapping[str, Any]) -> Any:
    """The keys of a schema, each with the keys below it: `{}` for a value, a list for a list of mappings."""
    for one in schema.get("anyOf", [schema]):
        if "$ref" in one:
            return known(ours[one["$ref"].rpartition("/")[2]], ours)
        if one.get("type") == "array":
            below = known(one.get("items", {}), ours)
            return [below] if below else {}
        if one.get("properties"):
            return {key: known(value, ours) for key, value in one["properties"].items()}
    return {}


def macro(name: str, about: str, value: object) -> str:
    lines = wrap(repr(value), LINE, break_long_words=False, break_on_hyphens=False)
    return MACRO.format(name=name, about=about, value="\n      ".join(lines))


def texts() -> dict[str, str]:
    """The files by path."""
    ours = definitions()
    by_name = {name: known(ours[model.__name__], ours) for name, model in MODELS.items()}
    lookup = "macros/rules/lookup"
    return {
        "schemas/portmesh.schema.json": json.dumps(property_files(), indent=1) + "\n",
        "schemas/portmesh.ports.schema.json": json.dumps(port_files(), indent=1) + "\n",
        f"{lookup}/known_keys.sql": macro("known_keys", "Portmesh's own keys, each with the keys below it.", by_name),
        f"{lookup}/allowed_values.sql": macro(
            "allowed_values", "The values that a key may have.", {key: list(value) for key, value in VALUES.items()}
        ),
    }


def main() -> int:
    old = [path for path, text in texts().items() if not (ROOT / path).is_file() or (ROOT / path).read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in old:
            print(f"{path} is not up to date. Run: python -m tools.schema", file=sys.stderr)
        return 1 if old else 0
    for path in old:
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(texts()[path], encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
