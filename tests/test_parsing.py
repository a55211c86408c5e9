"""What dbt parsed can be read again, so that it parses only what changed; what it cannot parse has a next step."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner
from dbt.clients.yaml_helper import load_yaml_text
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg
from dbt_common.exceptions import DbtValidationError

from dbt_portmesh.saved_parses import read_any_key, read_text_keys
from dbt_portmesh.yaml_errors import add_yaml_errors
from portmesh import dbt
from tests.mesh import REPOSITORY, Mesh
from tests.test_rules import COLUMNS, LINES, PORT, PRODUCT, READER


@pytest.mark.thorough
def test_the_parse_of_the_repository_is_kept(tmp_path: Path) -> None:
    dbt.parse(["--target-path", str(tmp_path), "--log-path", str(tmp_path)], REPOSITORY)
    saved = (tmp_path / PARTIAL_PARSE_FILE_NAME).read_bytes()
    assert Manifest.from_msgpack(saved, decoder=read_any_key).nodes


def parse(mesh: Mesh) -> list[str]:
    """The names of dbt's events."""
    names: list[str] = []

    def listen(event: EventMsg) -> None:
        names.append(event.info.name)

    place = ["--project-dir", str(mesh.folder), "--profiles-dir", str(mesh.folder)]
    assert dbtRunner(callbacks=[listen]).invoke(["parse", "--no-write-json", *place]).success
    return names


@pytest.mark.parametrize("key", ["on", "2026", "1.5", "2026-11-26", "null"])
def test_a_key_that_is_no_text_costs_no_parse(good: Mesh, key: str) -> None:
    path = good.folder / PRODUCT
    path.write_text(path.read_text().replace("channel: '#shop'", f"channel: '#shop'\n      {key}: inputs"))
    assert "PartialParsingSkipParsing" not in parse(good)
    assert "PartialParsingSkipParsing" in parse(good)


def test_dbt_alone_reads_text_only(good: Mesh) -> None:
    """Once this fails, dbt reads any key, and dbt_portmesh/saved_parses.py can go."""
    path = good.folder / PRODUCT
    path.write_text(path.read_text().replace("channel: '#shop'", "channel: '#shop'\n      on: inputs"))
    parse(good)
    with pytest.raises(ValueError, match="not allowed for map key"):
        read_text_keys((good.folder / "target" / PARTIAL_PARSE_FILE_NAME).read_bytes())


def checks_and_descriptions(mesh: Mesh, *options: str) -> dict[str, str]:
    place = ["--project-dir", str(mesh.folder), "--profiles-dir", str(mesh.folder)]
    parsed = dbtRunner().invoke(["parse", "--no-write-json", *options, *place])
    assert isinstance(parsed.result, Manifest), parsed.exception
    return {id_: node.description for id_, node in parsed.result.nodes.items()}


VERSIONS = """
models:
  - name: more
    description: More.
    latest_version: 1
    columns: [{name: line_id, data_type: bigint}]
    versions: [{v: 1}, {v: 2, defined_in: new_more}]
"""


@pytest.mark.parametrize(("name", "yaml"), [("more", ""), ("new_more", VERSIONS)])
def test_yaml_that_is_there_before_its_sql(good: Mesh, name: str, yaml: str) -> None:
    folder = good.folder / "domains/shop/models/output_ports"
    good.port("shop/more", LINES, COLUMNS)
    if yaml:
        good.write("domains/shop/models/output_ports/more.yml", yaml)
        (folder / "more.sql").rename(folder / "more_v1.sql")
        good.write(f"domains/shop/models/output_ports/{name}.sql", LINES)
    whole = checks_and_descriptions(good, "--no-partial-parse")
    (folder / f"{name}.sql").rename(good.folder / "aside")
    assert checks_and_descriptions(good).keys() < whole.keys()
    (good.folder / "aside").rename(folder / f"{name}.sql")
    assert checks_and_descriptions(good) == whole
    assert any(whole[id_] for id_ in whole if id_.startswith("model.shop.more"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    columns:", "\tcolumns:", "begins with a tab: write spaces instead"),
        ("version: 1.0.0", "version: 2027-06-31", "write one that exists, or put it in quotes if it is a text"),
        ("version: 1.0.0", "version: 1: 0", "or put quotes around a value that has a colon and a space"),
        ("version: 1.0.0", " version: 1.0.0", "indent the line like the other keys of its entry"),
        ("version: 1.0.0", "version: [1, 0", "close the bracket, or put quotes around a value"),
        ("version: 1.0.0", "version: @1", "put quotes around a value that begins with @, ` or %"),
    ],
)
def test_yaml_that_cannot_be_read_has_a_next_step(good: Mesh, old: str, new: str, says: str) -> None:
    path = good.folder / PORT
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    parsed = good.dbt("parse")
    assert "lines.yml" in parsed.output
    assert "Syntax error near line" in parsed.output
    assert says in parsed.output.split("next   ")[1], parsed.output


def test_yaml_that_ends_anywhere_is_read_or_refused(good: Mesh) -> None:
    add_yaml_errors()
    text = (good.folder / PORT).read_text() + "until: 2027-06-31\n"
    said = []
    for end in range(len(text) + 1):
        for added in ("", "[", "{", '"', "\t- a"):
            try:
                load_yaml_text(text[:end] + added)
            except DbtValidationError as error:
                said.append(str(error))
    assert len(said) > len(text)
    assert all("Syntax error near line" in each for each in said)


def test_a_day_that_does_not_exist_is_named(good: Mesh) -> None:
    path = good.folder / PORT
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2027-06-31"))
    assert "2027-06-31 is no date or time: day is out of range for month" in good.dbt("parse").output


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("{{ ref('shop', 'linse') }}", "Did you mean ref('shop', 'lines')?"),
        ("{{ ref('shpo', 'lines') }}", "Did you mean ref('shop', 'lines')?"),
        ("{{ ref('int_desk__thinsg') }}", "Did you mean ref('int_desk__things')?"),
        ("{{ source('raw', 'line') }}", "Did you mean source('raw', 'lines')?"),
        ("{{ ref('shop', 'customers') }}", ""),
    ],
)
def test_a_reference_to_nothing_names_what_is_near(good: Mesh, sql: str, says: str) -> None:
    good.write("domains/desk/models/intermediate/int_desk__things.sql", "select 1 as a")
    good.write(READER, f"select * from {sql}")
    parsed = good.dbt("parse")
    assert "which was not found" in parsed.output
    assert ("Did you mean" in parsed.output) == bool(says)
    assert says in parsed.output


def test_a_check_that_does_not_exist_names_what_is_near(good: Mesh) -> None:
    path = good.folder / PORT
    text = path.read_text()
    assert "unique" in text
    path.write_text(text.replace("unique", "uniqe", 1))
    said = good.dbt("parse").output
    assert "There is no check 'uniqe'. Did you mean unique?" in said
    assert "where     models/output_ports/lines.yml of shop, column line_id" in said
    assert "allowed   accepted_range, accepted_values, " in said
    assert "reader_is_listed" not in said
