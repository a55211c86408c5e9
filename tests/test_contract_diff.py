"""Changes of contracts: each rule on its own pairs of before and after, in memory."""

from __future__ import annotations

from typing import Any

import pytest

from portmesh.contracts.diff.compare import compare
from portmesh.contracts.diff.difference import RULES
from portmesh.contracts.diff.matching import match
from portmesh.contracts.diff.report import CONSENT, MISSPELT, UNCLEAR, VERSION, report
from portmesh.contracts.diff.terms import read_terms
from portmesh.mesh import read_mesh
from portmesh.state import MeshState
from tests.contract_pairs import FILES, Pair, manifest, read_pairs

PAIRS = list(read_pairs())


def lines_of(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What the rules say about a change: code, level, port, place and text."""
    found = report(MeshState("before", before), MeshState("after", after))
    return [
        f"{one.code} {one.level} {' '.join(filter(None, (port.change.label, one.about)))}: {one.text}"
        for port in found.ports
        for one in port.change.differences
    ]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_a_change_has_the_lines_that_its_pair_expects(pair: Pair) -> None:
    assert lines_of(pair.before, pair.after) == pair.expected


def test_nothing_changed_says_nothing() -> None:
    for pair in PAIRS:
        for one in (pair.before, pair.after):
            terms = read_terms(one, read_mesh(one))
            assert compare(match(terms, terms), set(one["nodes"]), {}) == [], pair.id


def test_there_are_many_pairs_and_each_rule_has_some() -> None:
    assert len(PAIRS) >= 120
    shown = {line.split()[0] for pair in PAIRS for line in pair.expected}
    # tests/test_contract_reach.py shows the rules on versions, agreements and misspelt columns.
    assert set(RULES) - {VERSION, CONSENT, UNCLEAR, MISSPELT} == shown == {file.stem for file in FILES}


def test_a_changed_macro_of_a_check_is_undetermined() -> None:
    def mesh(sql: str) -> dict[str, Any]:
        found = manifest({"columns": {"id": ["int", {"is_even": {}}]}, "sql": "select 2 as id"})
        (test,) = (node for node in found["nodes"].values() if node["resource_type"] == "test")
        test["depends_on"]["macros"] = ["macro.shop.test_is_even", "macro.dbt.test_helper"]
        of = {"name": "test_is_even", "macro_sql": "{{ odd() }}", "depends_on": {"macros": ["macro.shop.odd"]}}
        found["macros"] = {"macro.shop.test_is_even": of, "macro.shop.odd": {"name": "odd", "macro_sql": sql}}
        return found

    said = "PM342 undetermined shop.lines is_even of id: a macro that it calls changed"
    assert lines_of(mesh("id % 2 = 1"), mesh("id % 3 = 1")) == [said]
    assert lines_of(mesh("id % 2 = 1"), mesh("id %  2 = 1")) == []
