"""Editors check the domains' YAML against schemas that are made from the same models as the rules."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from ruamel.yaml import YAML

from tests.mesh import REPOSITORY
from tools import schema as writer

PORTS, OTHERS = "schemas/portmesh.ports.schema.json", "schemas/portmesh.schema.json"
FILES = sorted(REPOSITORY.glob("domains/*/models/**/*.yml"))


def mappings() -> dict[str, list[str]]:
    """The patterns of each schema, as VS Code's YAML extension reads them."""
    settings: dict[str, list[str]] = json.loads((REPOSITORY / ".vscode/settings.json").read_text())["yaml.schemas"]
    return {schema.removeprefix("./"): patterns for schema, patterns in settings.items()}


def schemas_of(path: Path) -> list[str]:
    """The schemas that an editor uses for a file. `*` in a pattern stands for a part of one name."""
    found = path.relative_to(REPOSITORY).as_posix()
    return [
        schema
        for schema, patterns in mappings().items()
        if any(re.fullmatch(pattern.replace(".", r"\.").replace("*", "[^/]*"), found) for pattern in patterns)
    ]


@cache
def validator(schema: str) -> Draft7Validator:
    def retrieve(name: str) -> Any:
        return Resource.from_contents(json.loads((REPOSITORY / "schemas" / name).read_text()))

    content = json.loads((REPOSITORY / schema).read_text())
    Draft7Validator.check_schema(content)
    return Draft7Validator(content, registry=Registry(retrieve=retrieve))


def as_json(value: Any) -> Any:
    """YAML's dates as an editor sees them."""
    if isinstance(value, dict):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def problems(schema: str, text: str) -> list[str]:
    """What an editor, which reads YAML 1.2, would say about a text: the deepest causes of each error."""
    found = validator(schema).iter_errors(as_json(YAML(typ="safe", pure=True).load(text)))
    return [cause.message for error in found for cause in causes(error)]


def causes(error: ValidationError) -> list[ValidationError]:
    return [deeper for cause in error.context for deeper in causes(cause)] if error.context else [error]


def test_the_files_are_up_to_date() -> None:
    old = [path for path, text in writer.texts().items() if (REPOSITORY / path).read_text() != text]
    assert not old, "Run: python -m tools.schema"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_each_yaml_of_the_domains_has_one_schema_and_fits_it(path: Path) -> None:
    (schema,) = schemas_of(path)
    assert schema == (PORTS if path.parent.name == "output_ports" else OTHERS)
    assert problems(schema, path.read_text()) == []


def test_there_are_files_of_both_kinds() -> None:
    assert {schema for path in FILES for schema in schemas_of(path)} == {PORTS, OTHERS}


def test_jetbrains_has_the_same_patterns() -> None:
    found: dict[str, list[str]] = {}
    for entry in ET.parse(REPOSITORY / ".idea/jsonSchemas.xml").iter("SchemaInfo"):
        options = {one.get("name"): one.get("value") for one in entry.iter("option")}
        paths = [one.get("value") for one in entry.iter("option") if one.get("name") == "path"]
        found[str(options["relativePathToSchema"])] = [str(path) for path in paths]
    assert found == mappings()


PORT = """
models:
  - name: lines
    description: One row per line.
    config:
      meta:
        version: 1.0.0
        classification: internal
        subject: {entity: customer, key: customer_id}
        freshness: {column: landed_at, warn_after: {count: 1.5, period: day}}
        consumers: [{name: desk, purpose: Reports., until: 2027-06-30}]
        keep_versions: 3
        starts_from: 1
        agreements: [{from: 1.0.0, with: [desk], reason: Nobody reads it.}]
        exemptions: [{rule: PM106, reason: Soon., until: 2027-06-30}]
    columns:
      - name: customer_id
        data_type: bigint
        description: Who.
        data_tests: [not_null, {unique: {config: {severity: warn, meta: {dimension: uniqueness, row_wise: false}}}}]
    versions:
      - {v: 1, config: {meta: {version: 1.0.0}}}
"""
OTHER = """
groups:
  - name: shop
    owner: {name: Shop, email: shop@example.com, github: "@example/shop"}
    config: {meta: {kind: aggregate, stage: active, engine: emr, purpose: Tests., channel: "#shop"}}
sources:
  - name: tills
    config: {meta: {external_location: "landed('{name}')"}}
    tables:
      - name: tickets
        config: {meta: {external_location: other}}
        columns: [{name: day, config: {meta: {from: Tag}}}]
models:
  - name: stg_tills__tickets
    columns: [{name: day, data_tests: [not_null]}]
"""


def test_every_key_is_accepted() -> None:
    assert problems(PORTS, PORT) == []
    assert problems(OTHERS, OTHER) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("consumers:", "consumer:", "'consumer' was unexpected"),
        ("version: 1.0.0\n", "version: 1.0\n", "1.0 is not of type 'string'"),
        ("classification: internal", "classification: secret", "'secret' is not one of"),
        ("entity:", "enttiy:", "'enttiy' was unexpected"),
        ("purpose: Reports.", "prupose: Reports.", "'prupose' was unexpected"),
        ("period: day", "period: week", "'week' is not one of"),
        ("count: 1.5", "count: 0", "0 is less than or equal to the minimum of 0"),
        ("keep_versions: 3", "keep_versions: 0", "0 is less than the minimum of 1"),
        ("from: 1.0.0, with", "form: 1.0.0, with", "'form' was unexpected"),
        ("rule: PM106", "rule: 106", "106 is not of type 'string'"),
        ("dimension: uniqueness", "dimension: speed", "'speed' is not one of"),
        ("row_wise: false", "rowwise: false", "'rowwise' was unexpected"),
        ("description: Who.", "description: Who., config: {meta: {pii: true}}".replace(", ", "\n        ", 1), "'pii'"),
        ("data_type:", "datatype:", "'datatype' was unexpected"),
        ("v: 1, config: {meta: {version: 1.0.0}}", "v: 1, config: {meta: {verson: 1.0.0}}", "'verson' was unexpected"),
    ],
)
def test_a_mistake_in_a_port_is_an_error(old: str, new: str, said: str) -> None:
    assert PORT.count(old) >= 1
    assert any(said in problem for problem in problems(PORTS, PORT.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("engine: emr", "enigne: emr", "'enigne' was unexpected"),
        ("stage: active", "stage: beta", "'beta' is not one of"),
        ("github:", "guthib:", "'guthib' was unexpected"),
        ('meta: {external_location: "landed', 'meta: {external_locaton: "landed', "'external_locaton' was unexpected"),
        ("meta: {external_location: other", "meta: {external: other", "'external' was unexpected"),
        ("meta: {from: Tag}", "meta: {form: Tag}", "'form' was unexpected"),
        ("sources:", "source:", "'source' was unexpected"),
    ],
)
def test_a_mistake_in_another_file_is_an_error(old: str, new: str, said: str) -> None:
    assert OTHER.count(old) == 1
    assert any(said in problem for problem in problems(OTHERS, OTHER.replace(old, new)))
