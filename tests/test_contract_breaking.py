"""Our rules on changes beside `datacontract breaking`, which reads the same changes in our ODCS export."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from portmesh.contracts import odcs
from portmesh.contracts.diff.report import report
from portmesh.contracts.port_contract import PortContract, ProductFacts
from portmesh.state import MeshState
from tests.contract_pairs import FILES, META, manifest
from tests.mesh import REPOSITORY

NOT_OF_A_CONTRACT = {"ports", "models", "version", "sql", "domain", "name", "alias", "access", "latest_version"}
NOT_OF_A_CONTRACT |= {"deprecation_date", "unique_key"}
"""Pairs with these keys are about the mesh, which a single contract does not know."""
SAFE_FOR_US = {
    ("PM311", "the same name in other letters is the same column"): "SQL does not tell the two names apart",
    ("PM315", "a space in the type is no other type"): "it compares the text of types",
    ("PM316", "int to bigint"): "it knows no widening",
    ("PM316", "smallint to int"): "it knows no widening",
    ("PM316", "float to double"): "it knows no widening",
    ("PM316", "a decimal with more digits"): "it knows no widening",
    ("PM321", "a primary key of the table says so, too"): "the export has no primary key of the table",
    (
        "PM323",
        "the key of two columns is the key of one of them now, which promises more",
    ): "it compares keys as a whole",
    ("PM335", "the same limit in other words"): "it takes shares between 10 and 11 into account, and rows are whole",
    ("PM343", "a check gets a description"): "the export then says it as a rule, no longer as `required`",
    ("PM343", "a check gets another dimension"): "the export then says it as a rule, no longer as `required`",
}
"""What it calls breaking and we do not, with the reason."""
UNSEEN = {"PM323", "PM331", "PM334", "PM340", "PM342", "PM361", "PM363"}
"""Rules with cases that break in our eyes and that it passes over: what only dbt can measure, and consumers."""


def contract(given: Mapping[str, Any]) -> str:
    """The text of the exported contract of one port of a pair."""
    columns = []
    for name, of_it in (given.get("columns") or {}).items():
        type_, *tests = of_it if isinstance(of_it, list) else [of_it]
        keys = {"data_type": type_} if isinstance(type_, str) else dict(type_)
        columns.append({"name": name, **keys, **({"data_tests": tests} if tests else {})})
    port = PortContract("shop", "lines", "", given.get("description", ""), META | given.get("meta", {}), columns)
    port.checks = given.get("data_tests", [])
    port.rest = {key: given[key] for key in ("constraints",) if key in given}
    return odcs.as_yaml(odcs.to_odcs(port, ProductFacts("shop")))


def verdict(before: dict[str, Any], after: dict[str, Any]) -> str:
    return report(MeshState("before", before), MeshState("after", after)).verdict


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in FILES:
        for given in yaml.safe_load_all(file.read_text()):
            if not NOT_OF_A_CONTRACT & {*given["before"], *given["after"]}:
                yield file.stem, given


@pytest.mark.nightly
def test_what_breaks_for_the_fields_tool_breaks_for_us() -> None:
    compared = list(cases())
    assert len(compared) > 100
    texts = [[contract(given["before"]), contract(given["after"])] for _, given in compared]
    tool = [str(REPOSITORY / ".venv-standards/bin/python"), str(REPOSITORY / "tests/standards/breaking.py")]
    done = subprocess.run(tool, input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=600)
    only_theirs, only_ours, same = set(), set(), 0
    for (code, given), entries in zip(compared, json.loads(done.stdout), strict=True):
        theirs = {level for level, _, _ in entries}
        ours = verdict(manifest(given["before"]), manifest(given["after"]))
        # Their warning is that they do not know, which says nothing about ours.
        if "error" in theirs and ours not in ("major", "undetermined"):
            only_theirs.add((code, given["case"]))
        elif not theirs and ours in ("major", "undetermined"):
            only_ours.add(code)
        else:
            same += "warning" not in theirs
    assert only_theirs == set(SAFE_FOR_US)
    assert only_ours == UNSEEN
    assert same > 70
