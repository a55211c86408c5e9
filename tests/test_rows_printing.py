"""What `portmesh diff --data` compares and shows, without an engine."""

from __future__ import annotations

from typing import Any

import pytest

from portmesh.contracts.diff.terms import PortTerms, read_terms
from portmesh.contracts.rows.comparison import ColumnRows, Example, PortRows, Rows
from portmesh.contracts.rows.pairing import pair_of
from portmesh.contracts.rows.printing import as_markdown, as_text
from portmesh.mesh import read_mesh

LINES = PortRows(
    port="orders.order_lines",
    state="compared",
    key=["line_id", "customer"],
    hidden_key=["customer"],
    rows_before=20_000_001,
    rows_now=20_000_003,
    gone=1,
    added=3,
    changed=412,
    columns=[
        ColumnRows(
            name="sales_value",
            type_before="double",
            type_now="double",
            differ=411,
            examples=[Example(key=["7", None], before="1.99", now="2.09")],
        ),
        ColumnRows(
            name="code",
            type_before="string",
            type_now="int",
            differ=200_000,
            as_text=True,
            examples=[Example(key=["8", None], before="", now=None)],
        ),
        ColumnRows(name="mail", type_before="string", type_now="string", differ=1, hidden="confidential"),
        ColumnRows(name="quiet", type_before="int", type_now="int", differ=0),
    ],
    only_before=["old"],
    only_now=["fresh"],
    examples_gone=[Example(key=["3", None])],
    examples_added=[Example(key=["x\n| `y` <b>" + "z" * 60, None])],
)


def rows(*ports: PortRows, tolerance: float = 0) -> Rows:
    return Rows(target="local", environment="pr_12", tolerance=tolerance, ports=list(ports))


def test_text_says_first_what_it_means_and_then_what_differs() -> None:
    assert as_text(rows(LINES)) == "\n".join(
        [
            "Rows published, and in pr_12 (local):",
            "",
            "orders.order_lines: 412 of 20,000,000 rows changed, 3 added, 1 gone.",
            "",
            "  key                  line_id, customer",
            "  gone                 1 row",
            "                       line_id 3",
            "  added                3 rows",
            f"                       line_id x\\n| `y` <b>{'z' * 27}…",
            "  column gone          old",
            "  column new           fresh",
            "  column sales_value   411 of 20,000,000 rows differ (less than 0.01 %)",
            "                       1.99 → 2.09   (line_id 7)",
            "  column code          string → int, compared as text",
            "                       200,000 of 20,000,000 rows differ (1.00 %)",
            "                       '' → null   (line_id 8)",
            "  column mail          1 of 20,000,000 rows differ (less than 0.01 %)",
            "                       confidential: its values are not shown",
        ]
    )


def test_markdown_shows_data_as_data() -> None:
    shown = as_markdown(rows(LINES))
    assert shown.startswith("#### Rows published, and in pr&#95;12\n")
    assert "- **orders.order&#95;lines**: 412 of 20,000,000 rows changed, 3 added, 1 gone." in shown
    assert "&#124; &#96;y&#96; &#60;b&#62;" in shown
    assert "<b>" not in shown
    assert "  - column mail: 1 of 20,000,000 rows differ (less than 0.01 %)<br>confidential" in shown


def test_a_tolerance_is_stated_where_it_applies() -> None:
    shown = as_text(rows(LINES, tolerance=1e-6))
    assert "411 of 20,000,000 rows differ (less than 0.01 %), by more than 1e-06 of the value" in shown
    assert shown.count("of the value") == 1


@pytest.mark.parametrize(
    ("port", "said"),
    [
        (
            PortRows(port="orders.baskets", state="compared", key=["id"], rows_before=9, rows_now=9, changed=0),
            "orders.baskets: the same 9 rows.",
        ),
        (
            PortRows(port="orders.baskets.v2", state="not built"),
            "PORTMESH_ENVIRONMENT=pr_12 dbt build --select +baskets.v2",
        ),
        (PortRows(port="orders.baskets", state="not published"), "orders.baskets: nothing is published yet."),
        (
            PortRows(port="orders.baskets", state="no common column", only_before=["a"], only_now=["b"]),
            "no column has kept its name, so no rows were compared.",
        ),
        (
            PortRows(
                port="orders.baskets", state="compared", key=["id"], is_key_unique=False, rows_before=3, rows_now=4
            ),
            "its rows were not paired, because the key is not unique.",
        ),
        (
            PortRows(port="orders.baskets", state="compared", rows_before=3, rows_now=4, gone=1, added=2),
            "orders.baskets: 1 row gone, 2 added (3 rows published, 4 here).",
        ),
    ],
)
def test_each_outcome_has_its_sentence(port: PortRows, said: str) -> None:
    assert said in as_text(rows(port))
    assert as_markdown(rows(port))


def terms(columns: dict[str, str], tests: list[dict[str, Any]], **port: Any) -> PortTerms:
    """The terms of the port orders.lines: `columns` with their levels, and the given tests."""
    node = {
        "unique_id": "model.orders.lines",
        "resource_type": "model",
        "package_name": "orders",
        "name": "lines",
        "alias": "lines",
        "config": {"materialized": "output_port", "meta": {"classification": port.get("classification", "")}}
        | {"unique_key": port.get("unique_key")},
        "columns": {
            name: {"name": name, "data_type": "int", "meta": {"level": level} if level else {}}
            for name, level in columns.items()
        },
    }
    nodes: dict[str, Any] = {"model.orders.lines": node}
    for place, test in enumerate(tests):
        kwargs = {key: value for key, value in test.items() if key not in ("name", "config")}
        nodes[f"test.{place}"] = {
            "unique_id": f"test.{place}",
            "resource_type": "test",
            "package_name": "orders",
            "name": f"test_{place}",
            "attached_node": "model.orders.lines",
            "test_metadata": {"name": test["name"], "kwargs": kwargs},
            "config": test.get("config", {}),
        }
    manifest = {"metadata": {"project_name": "mesh"}, "nodes": nodes}
    (found,) = read_terms(manifest, read_mesh(manifest)).values()
    return found


UNIQUE = {"name": "unique", "column_name": "id"}
TOGETHER = {"name": "unique_combination", "columns": ["day", "id"]}
COLUMNS = {"id": "", "day": "", "n": ""}


@pytest.mark.parametrize(
    ("before", "now", "key"),
    [
        ([UNIQUE, TOGETHER], [UNIQUE, TOGETHER], ("id",)),
        ([TOGETHER], [UNIQUE, TOGETHER], ("id", "day")),
        ([TOGETHER], [UNIQUE], ("id",)),
        ([UNIQUE], [], ("id",)),
        ([UNIQUE | {"config": {"severity": "warn"}}], [], ()),
        ([], [{"name": "unique", "column_name": "fresh"}], ()),
    ],
)
def test_the_key_is_what_both_contracts_prove(
    before: list[dict[str, Any]], now: list[dict[str, Any]], key: tuple[str, ...]
) -> None:
    after = terms(COLUMNS | {"fresh": ""}, now, classification="internal")
    assert pair_of(terms(COLUMNS, before, classification="internal"), after, "internal").key == key


def test_without_a_proven_key_what_an_increment_replaces_pairs_rows() -> None:
    with_key = terms(COLUMNS, [], unique_key="ID")
    assert pair_of(with_key, with_key, "internal").key == ("id",)


def test_a_branch_cannot_lower_a_level_to_see_values() -> None:
    secret = terms({"id": "", "n": "confidential"}, [], classification="internal")
    opened = terms({"id": "", "n": "public", "fresh": "restricted"}, [], classification="public")
    assert pair_of(secret, opened, "internal").hidden == {"n": "confidential", "fresh": "restricted"}
    assert pair_of(secret, opened, "confidential").hidden == {"fresh": "restricted"}
    assert pair_of(secret, opened, "public").hidden == {"id": "internal", "n": "confidential", "fresh": "restricted"}


def test_what_nobody_classified_is_restricted() -> None:
    unclassified = terms({"id": "", "n": "internal"}, [])
    assert pair_of(unclassified, unclassified, "confidential").hidden == {"id": "restricted"}
