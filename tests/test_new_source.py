"""`portmesh new source` writes where a domain's rows come from, and leaves what stands in the file as it is."""

from __future__ import annotations

import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from portmesh.commands import new_source, questions
from portmesh.errors import FindingsError
from portmesh.scaffold.yaml_lists import with_item
from tests.portmesh_call import Call, Portmesh

FILE = "domains/finance/models/staging/_finance__sources.yml"
ABOUT = ["--description", "The ledger's export, once a day.", "--every", "day"]
GRAIN = ["--grain", "One row per store and day."]
BY_HAND = """\
version: 2  # ours

sources:
    # What the ledger sends.
    - name: ledger
      description: >
        Costs: see   the wiki.

        # not a comment
      schema:   'landed'
      config: {meta: {external_location: "landed('{identifier}')", landing: {format: csv, delimiter: ';'}}}
      tables:
          - name: costs     # the first
            identifier: ledger__costs

          # The second is empty.
          - {name: empty, identifier: ledger__empty}
      # the end of ledger
    # the end of sources

models: []
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The domains orders and finance, and the files of a source. What is generated from the mesh is not written."""
    for domain in ("orders", "finance"):
        (tmp_path / f"domains/{domain}/models/staging").mkdir(parents=True)
        (tmp_path / f"domains/{domain}/dbt_project.yml").write_text(f"name: {domain}\n")
    (tmp_path / "dbt_project.yml").write_text("name: portmesh\n")
    (tmp_path / "Costs 2026-11.csv").write_bytes("Store;Tag;Kosten €\n1;01.02.2026;1,50\n".encode("cp1252"))
    (tmp_path / "visits.csv").write_text("store,visits\n1,2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(new_source, "generate", lambda *_: [])
    return tmp_path


def source(root: Path) -> dict[str, Any]:
    (found,) = yaml.safe_load((root / FILE).read_text())["sources"]
    assert isinstance(found, dict)
    return found


def everything(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_source_of_files_gets_its_landing_contract(root: Path, portmesh: Portmesh) -> None:
    made = portmesh("new", "source", "finance.ledger", "--from", "Costs 2026-11.csv", *ABOUT, *GRAIN)
    assert made.exit_code == 0, made.err
    assert made.out.startswith("The source finance.ledger has 1 new table: costs.\n")
    for said in ("csv, 1 row, 3 columns", "delimiter ;", "encoding cp1252", "dates %d.%m.%Y", "kosten_eur (Kosten €)"):
        assert said in made.out
    assert source(root) == {
        "name": "ledger",
        "description": "The ledger's export, once a day.",
        "schema": "landed",
        "config": {
            "loaded_at_field": "_landed_at",
            "freshness": {
                "warn_after": {"count": 2, "period": "day"},
                "error_after": {"count": 4, "period": "day"},
            },
            "meta": {
                "external_location": "landed('{identifier}')",
                "landing": {
                    "format": "csv", "delimiter": ";", "dates": ["%d.%m.%Y"], "decimal": ",", "encoding": "cp1252",
                },
            },
        },
        "tables": [
            {
                "name": "costs",
                "identifier": "ledger__costs",
                "description": "One row per store and day.",
                "columns": [
                    {"name": "store", "data_type": "bigint"},
                    {"name": "tag", "data_type": "date"},
                    {
                        "name": "kosten_eur",
                        "data_type": "decimal(18,2)",
                        "config": {"meta": {"from": "Kosten €"}},
                    },
                ],
            }
        ],
    }  # fmt: skip


def test_several_files_are_several_tables_which_share_what_they_have_alike(root: Path, portmesh: Portmesh) -> None:
    files = ["--from", "Costs 2026-11.csv", "--table", "costs", "--from", "visits.csv", "--table", "store_visits"]
    grains = [*GRAIN, "--grain", "One row per store."]
    made = portmesh("new", "source", "finance.ledger", *files, *ABOUT, *grains)
    assert made.exit_code == 0, made.err
    found = source(root)
    assert found["config"]["meta"]["landing"] == {"format": "csv"}
    costs, visits = found["tables"]
    assert costs["config"]["meta"]["landing"]["delimiter"] == ";"
    assert "config" not in visits
    assert visits["identifier"] == "ledger__store_visits"
    assert visits["description"] == "One row per store."


def test_a_table_that_exists_has_nothing_to_land(root: Path, portmesh: Portmesh) -> None:
    options = [*ABOUT, *GRAIN, "--loaded-at", "updated_at"]
    made = portmesh("new", "source", "finance.erp", "--from", "erp_raw.costs", *options, "--json")
    assert made.exit_code == 0, made.err
    assert json.loads(made.out)["written"] == [FILE]
    found = source(root)
    assert (found["schema"], found["config"]["loaded_at_field"]) == ("erp_raw", "updated_at")
    assert "meta" not in found["config"]
    assert found["tables"] == [{"name": "costs", "description": "One row per store and day."}]


def test_a_table_is_added_and_every_byte_stays(root: Path, portmesh: Portmesh) -> None:
    (root / FILE).write_text(BY_HAND)
    made = portmesh("new", "source", "finance.ledger", "--from", "visits.csv", *GRAIN)
    assert made.exit_code == 0, made.err
    after = (root / FILE).read_text()
    ahead, _, behind = BY_HAND.partition("      # the end of ledger")
    assert after.startswith(ahead)
    assert after.endswith("      # the end of ledger" + behind)
    table = source(root)["tables"][2]
    assert table["config"]["meta"] == {"landing": {"delimiter": ","}}
    assert table["identifier"] == "ledger__visits"


def test_options_that_would_change_nothing_are_refused(root: Path, portmesh: Portmesh) -> None:
    (root / FILE).write_text(BY_HAND)
    refused = portmesh("new", "source", "finance.ledger", "--from", "visits.csv", *GRAIN, *ABOUT)
    assert refused.exit_code == 2
    assert "finance.ledger exists already, so --description and --every would change nothing." in refused.err
    assert "next      leave them out; what the source says is changed in its YAML" in refused.err
    assert (root / FILE).read_text() == BY_HAND


def test_a_second_source_is_added_and_every_byte_stays(root: Path, portmesh: Portmesh) -> None:
    (root / FILE).write_text(BY_HAND)
    options = [*ABOUT, *GRAIN, "--loaded-at", "at"]
    assert portmesh("new", "source", "finance.erp", "--from", "erp_raw.costs", *options).exit_code == 0
    after = (root / FILE).read_text()
    ahead, _, behind = BY_HAND.partition("    # the end of sources")
    assert after.startswith(ahead)
    assert after.endswith("    # the end of sources" + behind)
    assert [each["name"] for each in yaml.safe_load(after)["sources"]] == ["ledger", "erp"]


def test_a_source_that_reads_feeds_by_name_still_lands_in_a_feed_of_its_own(root: Path, portmesh: Portmesh) -> None:
    (root / FILE).write_text(BY_HAND.replace("{identifier}", "{name}"))
    assert portmesh("new", "source", "finance.ledger", "--from", "visits.csv", *GRAIN).exit_code == 0
    assert source(root)["tables"][2]["config"]["meta"]["external_location"] == "landed('{identifier}')"


def test_no_two_tables_of_the_mesh_land_in_one_feed(root: Path, portmesh: Portmesh) -> None:
    other = root / "domains/orders/models/staging/_orders__sources.yml"
    other.write_text("sources: [{name: ledger, schema: landed, tables: [{name: ledger__visits}]}]\n")
    assert portmesh("new", "source", "finance.ledger", "--from", "visits.csv", *ABOUT, *GRAIN).exit_code == 0
    assert source(root)["tables"][0]["identifier"] == "finance__ledger__visits"


REFUSED = {
    "no domain": (["finanse.ledger", "--from", "visits.csv"], "There is no domain 'finanse'. Did you mean finance?"),
    "no source": (["finance", "--from", "visits.csv"], "This is no name of a source."),
    "its name": (["finance.The-Ledger", "--from", "visits.csv"], "This is no name of a source."),
    "nothing": (["finance.ledger"], "It is not said where the rows come from."),
    "no file": (["finance.ledger", "--from", "visit.csv"], "This file cannot be read. Did you mean visits.csv?"),
    "no table": (["finance.ledger", "--from", "visits"], "This is neither a file nor a table."),
    "both": (["finance.ledger", "--from", "visits.csv", "--from", "erp.costs"], "has either files or tables"),
    "schemas": (["finance.ledger", "--from", "a.costs", "--from", "b.costs"], "A source is in one schema."),
    "a domain's": (["finance.ledger", "--from", "orders.lines"], "read a port of orders: {{ ref('orders', 'PORT') }}"),
    "internal": (["finance.ledger", "--from", "orders__internal.lines"], "it belongs to the domain orders"),
    "two names": (["finance.ledger", "--from", "visits.csv", "--table", "a", "--table", "b"], "as often as --from"),
    "name": (["finance.ledger", "--from", "visits.csv", "--table", "Visits"], "A table cannot have this name."),
    "keeps": (["finance.ledger", "--from", "erp.costs", "--table", "a"], "A table that exists keeps its name."),
    "loaded": (["finance.ledger", "--from", "visits.csv", "--loaded-at", "at", *ABOUT, *GRAIN], "--loaded-at is for a"),
    "format": (["finance.erp", "--from", "erp.costs", "--date-format", "%d.%m.%Y"], "a table that exists is none."),
    "every": (["finance.ledger", "--from", "visits.csv", *GRAIN, "--every", "dayly"], "There is no schedule 'dayly'."),
    "short": (["finance.ledger", "--from", "visits.csv", "--grain", "Visits"], "enough.\n\n  option    --grain\n"),
    "jinja": (["finance.ledger", "--from", "visits.csv", "--grain", "One row per {{ x }}"], "This is not plain text."),
    "twice": (
        ["finance.ledger", *["--from", "visits.csv"] * 2, *ABOUT, *GRAIN, *GRAIN],
        "Two tables would have one name.",
    ),
    "unasked": (["finance.ledger", "--from", "visits.csv"], "3 answers are missing, and there is no terminal"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_and_nothing_is_written(
    root: Path, portmesh: Portmesh, arguments: list[str], said: str
) -> None:
    before = everything(root)
    refused = portmesh("new", "source", *arguments)
    assert refused.exit_code in (1, 2, 3)
    assert said in refused.err
    assert everything(root) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: [\n", f"{FILE} cannot be read."),
        ("- sources:\n", "it is a list, not keys with values"),
        ("sources: [{name: other}]\n", "without changing what stands there"),
        (BY_HAND.replace("name: costs ", "name: visits "), "ledger has a table visits already."),
        (BY_HAND.replace("'landed'", "'erp'"), "The source ledger is in the schema erp, not in landed."),
        (BY_HAND.partition("      tables:")[0], "without changing what stands there"),
    ],
)
def test_yaml_that_cannot_be_added_to_is_refused_and_stays(
    root: Path, portmesh: Portmesh, text: str, said: str
) -> None:
    (root / FILE).write_text(text)
    about = ABOUT if "ledger" not in text else []
    refused: Call = portmesh("new", "source", "finance.ledger", "--from", "visits.csv", *about, *GRAIN)
    assert refused.exit_code in (1, 2)
    assert said in refused.err
    assert (root / FILE).read_text() == text


def test_a_person_is_asked(root: Path, portmesh: Portmesh, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ["The counters at the doors of the stores.", "often", "hour", "One row per store and hour."]
    monkeypatch.setattr(questions, "is_terminal", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(typed) + "\n"))
    made = portmesh("new", "source", "finance.counters", "--from", "visits.csv")
    assert made.exit_code == 0, made.err
    assert "There is no schedule 'often'." in made.out
    assert source(root)["config"]["freshness"]["warn_after"] == {"count": 3, "period": "hour"}


# Lists


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "text",
    ["", "models: []", "sources:\n- name: a\n", "sources:\n  - name: a", "sources:\n- a: |\n    - x\n\n\nmodels: []\n"],
)
def test_an_item_is_added_at_the_end_of_a_list(tmp_path: Path, text: str, line_end: str) -> None:
    text = text.replace("\n", line_end)
    new = with_item(tmp_path, tmp_path / "x.yml", text, ("sources",), "- name: b\n")
    assert text in new or text + line_end in new or all(line in new for line in text.split(line_end))
    assert yaml.safe_load(new)["sources"][-1] == {"name": "b"}
    assert "\r\n" not in text or "\n" not in new.replace("\r\n", "")


def test_an_item_is_added_to_lists_of_any_shape_without_changing_a_byte(tmp_path: Path) -> None:
    """The comments, blank lines and indents are chosen at random; what stood there is what stands there, in order."""
    choice = random.Random(14).choice
    added = 0
    for _ in range(50):
        pad = choice(["", "  ", "    "])
        lines = ["# top", choice(["", "version: 2"]), "sources:"]
        for number in range(choice([1, 2, 3])):
            text = choice(["x", '"a: b"', "|"])
            lines += [f"{pad}- name: s{number}{choice(['', '  # why'])}", f"{pad}  description: {text}"]
            if lines[-1].endswith("|"):
                lines += [f"{pad}    # text", "", f"{pad}    - text"]
            lines += [choice(["", f"{pad}  # inside", f"{pad}# between"])]
        lines += choice([[], ["models:", "  - name: m"], ["# end"]])
        text = "\n".join(lines) + choice(["", "\n"])
        new = with_item(tmp_path, tmp_path / "x.yml", text, ("sources",), "- name: b\n  schema: c\n")
        kept = [line for line in new.splitlines() if line.strip() not in ("- name: b", "schema: c")]
        assert kept == text.splitlines()
        added += 1
    assert added == 50


def test_an_item_that_would_change_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FindingsError, match="cannot be read"):
        with_item(tmp_path, tmp_path / "x.yml", "sources:\n  - a\n - b\n", ("sources",), "- c\n")
