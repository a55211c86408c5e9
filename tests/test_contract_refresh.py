"""`portmesh contract refresh` writes a model's new columns into the YAML and leaves everything else byte for byte."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from portmesh.checks import Check
from portmesh.contracts.check_types import can_run
from portmesh.contracts.refresh import Described, ModelColumn, Refreshed, refresh_text
from portmesh.contracts.version import is_wider, level_of, next_version
from portmesh.contracts.yaml_text import load
from portmesh.errors import FindingsError
from tests.mesh import Mesh
from tests.portmesh_call import Call, Portmesh, captured

pytestmark = pytest.mark.thorough

PATH = "domains/shop/models/output_ports/lines.yml"
BASE = """\
# The port of the shop.
models:
  - name: lines
    description: >
      One row per line.

      {{ doc('shop__lines') }}
    config:
      meta:
        version: 1.0.0
        consumers: [{name: desk, purpose: Reports.}]
    data_tests:
      - unique_combination:
          arguments: {columns: [line_id, day]}
    columns:
      - name: line_id
        data_type: bigint
        description: The key.
        data_tests: [not_null, unique]
      - {name: day, data_type: date, description: "The day, on the stores' clock."}
      - name: amount
        description: >
          Euro, as the till
          printed it.
        data_type: decimal(10,2)
        data_tests:
          # 3 of 1,000 are below 0.
          - accepted_range:
              arguments: {min_value: 0}
      - name: store_id
        data_type: 'int'
        description: 'The store''s number.'
        data_tests: [not_null]
      - name: note
        data_type: string
        description: |
          Free text.

          Two paragraphs.
unit_tests:
  - name: lines_are_summed
    model: lines
    given: []
    expect: {rows: []}
"""
TYPES = {"line_id": "bigint", "day": "date", "amount": "decimal(10,2)", "store_id": "int", "note": "string"}


def described(types: dict[str, str], declared: dict[str, str] | None = None, **more: object) -> Described:
    """The model has these columns and types; the contract declares others."""
    known = TYPES if declared is None else declared
    columns = [
        ModelColumn(name=name, data_type=type_, fits=known.get(name) == type_, is_portable=type_ != "hugeint")
        for name, type_ in types.items()
    ]
    facts = {"label": "shop.lines", "model": "lines", "version": "", "path": PATH, "contract_version": "1.0.0"}
    return Described.model_validate(facts | {"columns": columns, "declared": known} | more)


def refreshed(text: str, types: dict[str, str], remove: bool = False, **more: object) -> Refreshed:
    return refresh_text(text, described(types, **more), remove)  # type: ignore[arg-type]


def added_and_removed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are only in `after`, and those only in `before`."""
    lines = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    return [line[2:] for line in lines if line[0] == "+"], [line[2:] for line in lines if line[0] == "-"]


def test_new_columns_stand_where_the_model_has_them() -> None:
    found = refreshed(BASE, {"first": "int", **TYPES, "last": "timestamp"})
    added, removed = added_and_removed(BASE, found.text)
    assert removed == []
    assert added == [
        *("      - name: first\n", "        data_type: int\n", '        description: ""\n'),
        *("      - name: last\n", "        data_type: timestamp\n", '        description: ""\n'),
    ]
    assert [one["name"] for one in load(found.text)["models"][0]["columns"]] == ["first", *TYPES, "last"]


def test_a_column_is_written_like_the_one_before_it() -> None:
    model = {"line_id": "bigint", "day": "date", "hour": "int", "amount": "decimal(10,2)", "fee": "decimal(5,2)"}
    added, _ = added_and_removed(BASE, refreshed(BASE, {**model, **TYPES}).text)
    assert added[0] == '      - {name: hour, data_type: int, description: ""}\n'
    assert added[1:3] == ["      - name: fee\n", "        data_type: decimal(5,2)\n"]


def test_only_the_type_of_a_changed_column_changes() -> None:
    model = TYPES | {"amount": "decimal(12,2)", "store_id": "bigint", "day": "timestamp"}
    added, removed = added_and_removed(BASE, refreshed(BASE, model).text)
    assert [line.strip() for line in removed] == [
        """- {name: day, data_type: date, description: "The day, on the stores' clock."}""",
        "data_type: decimal(10,2)",
        "data_type: 'int'",
    ]
    assert [line.strip() for line in added if not line.startswith("?")] == [
        """- {name: day, data_type: timestamp, description: "The day, on the stores' clock."}""",
        "data_type: decimal(12,2)",
        "data_type: 'bigint'",
    ]


def test_a_column_without_a_type_gets_one() -> None:
    text = BASE.replace("        data_type: 'int'\n", "").replace("data_type: date, ", "")
    text = text.replace("        data_type: string\n", "        data_type:   # soon\n")
    declared = TYPES | {"store_id": "", "day": "", "note": ""}
    found = refreshed(text, TYPES, declared=declared)
    assert "- {name: day, data_type: date, description:" in found.text
    assert "- name: store_id\n        data_type: int\n" in found.text
    assert "        data_type: string   # soon\n" in found.text


def test_a_missing_column_stays_until_it_is_removed() -> None:
    model = {name: type_ for name, type_ in TYPES.items() if name not in ("amount", "day")}
    kept = refreshed(BASE, model)
    assert kept.text == BASE
    assert [one.column for one in kept.left] == ["day", "amount"]
    gone = refreshed(BASE, model, remove=True)
    added, removed = added_and_removed(BASE, gone.text)
    assert added == []
    assert len(removed) == 10
    assert [one.what for one in gone.changes] == ["removed, with its checks"] * 2
    assert (gone.level, gone.version) == ("major", "2.0.0")


@pytest.mark.parametrize(
    "columns",
    [
        "    columns: [{name: line_id, data_type: bigint}, {name: day, data_type: date}]\n",
        "    columns: [  ]\n",
        "    columns: []\n",
        "    columns:\n",
        "    columns: # none yet\n",
        "    columns: ~\n",
        "",
    ],
)
def test_a_list_of_columns_in_any_form_grows(columns: str) -> None:
    text = "models:\n  - name: lines\n    description: Lines.\n" + columns + "\n# The end.\n"
    declared = {"line_id": "bigint", "day": "date"} if "day" in columns else {}
    model = {"zero": "int", "line_id": "bigint", "price": "decimal(10,2)", "day": "date", "last": "string"}
    if columns == "    columns: ~\n":
        with pytest.raises(FindingsError, match="cannot edit"):
            refreshed(text, model, declared=declared)
        return
    found = refreshed(text, model, declared=declared)
    assert {one["name"]: one["data_type"] for one in load(found.text)["models"][0]["columns"]} == model
    assert found.text.endswith("\n# The end.\n")
    assert refreshed(found.text, model, declared=model).text == found.text


def test_removing_from_a_list_in_one_line() -> None:
    text = "models: [{name: lines, columns: [{name: a}, {name: b}, {name: c}]}]\n"
    declared = dict.fromkeys("abc", "int")
    for kept in ("ab", "bc", "ac", "a", "b", "c"):
        found = refreshed(text, dict.fromkeys(kept, "int"), remove=True, declared=declared)
        assert [one["name"] for one in load(found.text)["models"][0]["columns"]] == list(kept)


VERSIONS = """\
models:
  - name: lines
    latest_version: 1
    columns:
      - {name: line_id, data_type: bigint}
    versions:
      - v: 1
      - v: 2
        columns:
          - include: all
          - name: extra
            data_type: int
"""


def test_a_version_with_its_own_list_gets_the_column() -> None:
    more = {"version": "2", "declared": {"line_id": "bigint", "extra": "int"}}
    found = refreshed(VERSIONS, {"line_id": "bigint", "extra": "int", "more": "date"}, **more)
    assert found.text == VERSIONS + '          - name: more\n            data_type: date\n            description: ""\n'


def test_a_column_that_versions_share_is_not_changed_for_one_of_them() -> None:
    more = {"version": "2", "declared": {"line_id": "bigint", "extra": "int"}}
    with pytest.raises(FindingsError) as refused:
        refreshed(VERSIONS, {"line_id": "string", "extra": "int"}, **more)
    assert "line_id is in the model's own list, which its versions share" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: [\n", "The YAML cannot be read."),
        ("models:\n  - name: others\n", "it has no model lines"),
        ("models: [{name: lines}]\n", "is written in one line, in braces"),
    ],
)
def test_a_file_that_it_cannot_edit_is_refused(text: str, said: str) -> None:
    with pytest.raises(FindingsError) as refused:
        refreshed(text, {"new": "int"}, declared={})
    assert said in str(refused.value)


def test_a_type_that_no_contract_can_have_is_refused_by_name() -> None:
    with pytest.raises(FindingsError) as refused:
        refreshed(BASE, TYPES | {"total": "hugeint"})
    assert "total     hugeint: no type of a contract" in str(refused.value)
    assert "cast(total as bigint)" in str(refused.value)


# --- 50 random hand edits ---

KINDS = ("comment", "blank", "behind", "spaces", "quote", "swap")
WORDS = ("# by hand", "# größer als 0: 'ja'", "# - name: not_a_column", "#", "# {a: [b", '# "50 %" | >', "# 分")


def edited_by_hand(text: str, seed: int) -> str:
    """The text after 50 edits that changed it but not what it means."""
    random = Random(seed)
    for _ in range(50):
        before = text
        while text == before:
            text = by_hand(text, random.choice(KINDS), random.randrange(1000), random.choice(WORDS))
    return text


def by_hand(text: str, kind: str, number: int, comment: str) -> str:
    """The text after an edit, as a person makes it. An edit that does not fit the line changes nothing."""
    lines = text.split("\n")
    at = number % len(lines)
    line = lines[at]
    is_entry = re.match(r" +(- )?[a-z_]+: [^>|{\[]*$", line) is not None and "#" not in line
    if kind == "comment":
        lines.insert(at, " " * (number % 13) + comment)
    elif kind == "blank":
        lines.insert(at, " " * (number % 5))
    elif kind == "behind" and is_entry:
        lines[at] = f"{line}  {comment}"
    elif kind == "spaces" and is_entry:
        lines[at] = line.replace(": ", ":" + " " * (1 + number % 4), 1)
    elif kind == "quote" and is_entry and not re.search(r"['\"]", line):
        key, _, value = line.partition(": ")
        lines[at] = f'{key}: "{value.strip()}"'
    elif kind == "swap" and "    columns:" in lines and re.match(r"      - \{", line) and "        " in lines[at + 1]:
        lines[at] = line.replace("{name:", "{ name:").replace("}", " }")
    edited = "\n".join(lines)
    return edited if means_the_same(edited, text) else text


def means_the_same(edited: str, text: str) -> bool:
    """Whether an edit left the YAML as it is. One that broke it did not."""
    try:
        return bool(yaml.load(edited, Loader=yaml.CSafeLoader) == yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return False


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    data=st.data(),
)
@pytest.mark.nightly
def test_50_random_hand_edits_survive_byte_for_byte(seed: int, line_end: str, mark: str, data: st.DataObject) -> None:
    text = edited_by_hand(BASE, seed)
    text = mark + text.replace("\n", line_end)
    new = data.draw(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), unique=True, min_size=1))
    model = list(TYPES.items())
    for name in new:
        model.insert(data.draw(st.integers(0, len(model))), (name, "timestamp"))
    changed = dict(model) | ({"amount": "decimal(12,2)"} if data.draw(st.booleans()) else {})
    found = refreshed(text, changed)
    assert_only_inserted(text, found.text, changed)
    assert refreshed(found.text, changed, declared=changed).text == found.text


def assert_only_inserted(before: str, after: str, model: dict[str, str]) -> None:
    """Every line of `before` is in `after`, in order; only a type may differ. Line ends are those of the file."""
    new = iter(after.splitlines(keepends=True))
    for line in before.splitlines(keepends=True):
        if "decimal(10,2)" in line and model["amount"] == "decimal(12,2)" and "#" not in line.split("decimal")[0]:
            line = line.replace("decimal(10,2)", "decimal(12,2)", 1)
        assert line in new
    assert ("\r\n" in before) is ("\r\n" in after)
    assert after.count("\n") == after.count("\r\n") or "\r\n" not in before
    columns = load(after.removeprefix("\ufeff"))["models"][0]["columns"]
    assert {one["name"]: one["data_type"] for one in columns} == model


# --- versions ---


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ({"a": "int"}, {"a": "int"}, "patch"),
        ({"a": "int"}, {"A": "int", "b": "date"}, "minor"),
        ({"a": "int"}, {"a": "bigint"}, "minor"),
        ({"a": "bigint"}, {"a": "int"}, "major"),
        ({"a": "decimal(10,2)"}, {"a": "decimal(12, 2)"}, "minor"),
        ({"a": "decimal(10,2)"}, {"a": "decimal(12,3)"}, "major"),
        ({"a": "int", "b": "int"}, {"a": "int"}, "major"),
        ({"a": "int"}, {"a": "string"}, "major"),
    ],
)
def test_the_level_of_a_change(before: dict[str, str], after: dict[str, str], level: str) -> None:
    assert level_of(before, after) == level


def test_version_numbers() -> None:
    assert [next_version("1.2.3", level) for level in ("patch", "minor", "major")] == ["1.2.4", "1.3.0", "2.0.0"]
    assert next_version("1.0", "minor") == ""
    assert not is_wider("string", "bigint")


# --- through dbt ---

MODEL = """\
select
    cast(1 as bigint) as line_id,
    cast(1 as double) as amount,
    cast('2026-01-01' as timestamp) as landed_at
"""
COLUMNS = """
- {name: line_id, data_type: bigint, description: The key., data_tests: [unique, not_null]}
- name: amount
  description: Euro.
  data_type: double   # by hand
  data_tests: [{accepted_range: {arguments: {min_value: 0}}}]
- {name: landed_at, data_type: timestamp, description: When., data_tests: [
    accepted_range: {arguments: {min_value: 2020-01-01}}]}
"""


@pytest.fixture
def portmesh(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Portmesh]:
    mesh.set_up("shop")
    mesh.port("shop/lines", MODEL, COLUMNS)
    assert mesh.dbt("deps").ok
    monkeypatch.chdir(mesh.folder)
    capsys.readouterr()
    yield captured(capsys)
    mesh.engine.close()


def facts(found: Call) -> Any:
    """The JSON that a command printed, behind what dbt printed before."""
    return json.loads(found.out[found.out.index("{\n") :])


def test_a_port_that_fits_its_model_is_left_alone(mesh: Mesh, portmesh: Portmesh) -> None:
    before = (mesh.folder / PATH).read_bytes()
    found = portmesh("contract", "refresh", "shop.lines")
    assert found.exit_code == 0, found.err
    assert found.out == "shop.lines: the contract has the model's columns and types. Nothing to change.\n"
    assert (mesh.folder / PATH).read_bytes() == before


def test_the_contract_follows_the_model_and_then_the_port_builds(mesh: Mesh, portmesh: Portmesh) -> None:
    assert mesh.dbt("run").ok
    changed = MODEL.replace("cast(1 as double)", "cast(1 as decimal(10,2))").rstrip() + ",\n    'x' as channel\n"
    mesh.write("domains/shop/models/output_ports/lines.sql", changed)
    assert "does not match its contract" in mesh.dbt("run").output
    file = mesh.folder / PATH
    before = file.read_text()
    shown = portmesh("contract", "refresh", "shop.lines", "--dry-run")
    assert "2 changes to write to domains/shop/models/output_ports/lines.yml" in shown.out
    assert file.read_text() == before
    found = portmesh("contract", "refresh", "shop.lines")
    assert re.search(r"^amount +double +decimal\(10,2\) +type changed", found.out, re.MULTILINE)
    assert re.search(r"^channel +- +string +added; describe it", found.out, re.MULTILINE)
    assert "set config.meta.version to 2.0.0: readers can break (published is 1.0.0, the file says 1.0.0)" in found.out
    assert file.read_text() == before.replace("data_type: double", "data_type: decimal(10,2)") + (
        '      - {name: channel, data_type: string, description: ""}\n'
    )
    agreed = "version: 2.0.0\n        agreements: [{from: 1.0.0, with: [], reason: Nobody reads it.}]"
    file.write_text(file.read_text().replace("version: 1.0.0", agreed))
    refused = mesh.dbt("run")
    assert "does not match its contract" not in refused.output
    again = portmesh("contract", "refresh", "shop.lines", "--json")
    assert facts(again)["changes"] == []
    assert facts(again)["contract_version_asked_for"] == "2.0.0"


def test_an_added_column_asks_for_a_minor_version(mesh: Mesh, portmesh: Portmesh) -> None:
    assert mesh.dbt("run").ok
    mesh.write("domains/shop/models/output_ports/lines.sql", MODEL.rstrip() + ",\n    1 as number_of_items\n")
    found = facts(portmesh("contract", "refresh", "shop.lines", "--json"))
    assert (found["level"], found["contract_version_asked_for"]) == ("minor", "1.1.0")
    assert found["changes"][0]["now"] == "int"


def test_a_removed_column_is_named_and_goes_only_if_asked(mesh: Mesh, portmesh: Portmesh) -> None:
    mesh.write("domains/shop/models/output_ports/lines.sql", MODEL.replace("    cast(1 as double) as amount,\n", ""))
    before = (mesh.folder / PATH).read_text()
    assert "missing in the model; to remove it: --remove" in portmesh("contract", "refresh", "shop.lines").out
    assert (mesh.folder / PATH).read_text() == before
    assert "set config.meta.version to 2.0.0" in portmesh("contract", "refresh", "shop.lines", "--remove").out
    assert "amount" not in (mesh.folder / PATH).read_text()


@pytest.mark.parametrize(
    ("port", "said"),
    [("shop.line", "Did you mean shop.lines?"), ("lines", "There is no port lines."), ("shp.lines", "shop.lines")],
)
def test_an_unknown_port_gets_the_near_one(portmesh: Portmesh, port: str, said: str) -> None:
    found = portmesh("contract", "refresh", port)
    assert found.exit_code != 0
    assert said in found.err


def test_a_model_whose_inputs_are_not_built_says_what_to_build(mesh: Mesh, portmesh: Portmesh) -> None:
    mesh.write("domains/shop/models/staging/stg_lines.sql", MODEL)
    mesh.write("domains/shop/models/output_ports/lines.sql", "select * from {{ ref('stg_lines') }}")
    found = portmesh("contract", "refresh", "shop.lines")
    assert found.exit_code == 1
    assert "The columns of shop.lines cannot be read: it reads relations that are not built here." in found.err
    assert "dbt build --select +stg_lines" in found.err


def test_a_type_of_one_engine_is_refused_and_nothing_is_written(mesh: Mesh, portmesh: Portmesh) -> None:
    mesh.write("domains/shop/models/output_ports/lines.sql", MODEL.rstrip() + ",\n    cast(1 as hugeint) as total\n")
    before = (mesh.folder / PATH).read_bytes()
    found = portmesh("contract", "refresh", "shop.lines")
    assert found.exit_code == 1
    assert "hugeint: no type of a contract" in found.err
    assert (mesh.folder / PATH).read_bytes() == before


def test_a_check_that_cannot_run_on_the_new_type_is_named_and_nothing_is_written(
    mesh: Mesh, portmesh: Portmesh
) -> None:
    text = MODEL.replace("cast(1 as double)", "'A1'")
    pattern = COLUMNS.replace("double", "string").replace(
        "accepted_range: {arguments: {min_value: 0}}", "matches_pattern: {arguments: {pattern: '^A'}}"
    )
    mesh.port("shop/lines", text, pattern)
    assert mesh.dbt("run").ok
    mesh.write("domains/shop/models/output_ports/lines.sql", MODEL.replace("double", "decimal(10,2)"))
    file = mesh.folder / PATH
    before = file.read_bytes()
    refused = portmesh("contract", "refresh", "shop.lines")
    assert refused.exit_code == 1
    assert "The contract of shop.lines was not refreshed: a check does not fit its column's new type." in refused.err
    assert "amount    matches_pattern cannot run on decimal(10,2)\n" in refused.err
    assert "take it out of the file, or cast the column" in refused.err
    assert file.read_bytes() == before
    file.write_bytes(
        before.replace(b"data_tests: [{matches_pattern: {arguments: {pattern: '^A'}}}]", b"data_tests: []")
    )
    assert portmesh("contract", "refresh", "shop.lines").exit_code == 0
    assert "data_type: decimal(10,2)" in file.read_text()


@pytest.mark.parametrize(
    ("kind", "arguments", "fitting", "wrong"),
    [
        ("matches_pattern", {"pattern": "^A"}, ["string"], ["bigint", "date", "boolean"]),
        ("accepted_range", {"min_value": 0}, ["bigint", "decimal(12,2)", "double"], ["string", "date", "boolean"]),
        ("accepted_range", {"max_value": "2026-01-01"}, ["date", "timestamp"], ["string", "int"]),
        ("accepted_range", {"max_value": "line_id + 1"}, ["bigint", "date", "string"], []),
        ("accepted_values", {"values": ["a", "b"]}, ["string"], ["int", "decimal(5,0)"]),
        ("accepted_values", {"values": ["1", "2"]}, ["string", "int"], []),
        ("accepted_values", {"values": [0, 1], "quote": False}, ["int"], ["string"]),
        ("accepted_values", {"values": "{{ var('known') }}"}, ["int", "string"], []),
        ("not_null", {}, ["string", "int", "date"], []),
    ],
)
def test_which_checks_run_on_which_types(
    kind: str, arguments: dict[str, Any], fitting: list[str], wrong: list[str]
) -> None:
    check = Check(kind=kind, column="amount", arguments=arguments)
    assert [type_ for type_ in [*fitting, *wrong] if can_run(check, type_)] == fitting
