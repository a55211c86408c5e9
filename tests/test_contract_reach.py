"""Whom a change of a contract reaches, who has agreed, and what is printed; in memory, without dbt."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from portmesh.contracts.diff.printing import as_facts, as_markdown, print_report
from portmesh.contracts.diff.report import Report, report
from portmesh.errors import FindingsError
from portmesh.state import MeshState
from tests.contract_pairs import manifest

LINES = '"mesh"."shop"."lines"'
AGREED = {"port": "shop.lines", "version": "2.0.0", "by": "ana@example.com", "date": "2026-11-01"}


def lines(sql: str = "select 1 as id, 'web' as channel, 5 as amount", **keys: Any) -> dict[str, Any]:
    """The port that changes."""
    consumers = [{"name": name, "purpose": "A test."} for name in keys.pop("consumers", ["desk", "web"])]
    meta = {"version": keys.pop("version", "1.0.0"), "consumers": consumers, **keys.pop("meta", {})}
    return {"columns": {"id": "int", "channel": "string", "amount": "int"}, "sql": sql, "meta": meta} | keys


def model(domain: str, name: str, sql: str, reads: str = "model.shop.lines", **keys: Any) -> dict[str, Any]:
    return {"domain": domain, "name": name, "sql": sql, "reads": [reads], **keys}


DESK = model("desk", "int_desk", f"select channel, count(*) as n from {LINES} group by channel")
WEB = model("web", "int_web", f"select id, amount * 2 as double_amount from {LINES}")


def mesh(port: dict[str, Any], *models: dict[str, Any], **more: Any) -> dict[str, Any]:
    ports = [port, *more.pop("ports", [])]
    return manifest({"ports": ports, "models": list(models or (DESK, WEB)), **more})


NO_CHANNEL = {"columns": {"id": "int", "amount": "int"}, "sql": "select 1 as id, 5 as amount"}


def compared(before: dict[str, Any], after: dict[str, Any]) -> Report:
    return report(MeshState("main (c37d537)", before), MeshState("the working tree", after))


def states(found: Report) -> dict[str, str]:
    return {one.name: one.state for one in found.ports[0].readers}


def codes(found: Report) -> list[str]:
    return [one.code for one in found.problems]


def printed(found: Report) -> str:
    out = StringIO()
    print_report(found, Console(file=out, width=100, highlight=False))
    return out.getvalue()


# --- who is reached ---


def test_only_the_reader_of_the_changed_column_is_reached_and_the_other_is_named() -> None:
    changed = lines("select 1 as id, upper('web') as channel, 5 as amount", version="2.0.0")
    found = compared(mesh(lines()), mesh(changed))
    assert states(found) == {"desk": "reached", "web": "not reached"}
    desk, web = found.ports[0].readers
    assert [(node.name, node.rows) for node in desk.nodes] == [("desk.int_desk", True)]
    assert web.why == "it does not read channel"


def test_a_reader_is_reached_in_the_columns_that_are_computed_from_the_change() -> None:
    found = compared(mesh(lines()), mesh(lines("select 1 as id, 'web' as channel, 6 as amount", version="2.0.0")))
    assert states(found) == {"desk": "not reached", "web": "reached"}
    assert [(node.name, node.columns) for node in found.ports[0].readers[1].nodes] == [
        ("web.int_web", ("double_amount",))
    ]


def test_other_rows_reach_everybody() -> None:
    found = compared(
        mesh(lines()), mesh(lines("select 1 as id, 'web' as channel, 5 as amount where 1 = 0", version="2.0.0"))
    )
    assert states(found) == {"desk": "reached", "web": "reached"}


def test_a_reader_whose_sql_cannot_be_read_is_reached() -> None:
    unreadable = model("web", "int_web", f"select id from from {LINES}")
    changed = lines("select 1 as id, 'x' as channel, 5 as amount", version="2.0.0")
    found = compared(mesh(lines(), DESK, unreadable), mesh(changed, DESK, unreadable))
    assert states(found) == {"desk": "reached", "web": "reached"}


def test_a_column_that_is_gone_reaches_who_still_names_it_and_not_who_changed_with_it() -> None:
    after = mesh(lines(version="2.0.0", **NO_CHANNEL), DESK, WEB)
    assert states(compared(mesh(lines()), after)) == {"desk": "reached", "web": "not reached"}
    adapted = model("desk", "int_desk", f"select id, count(*) as n from {LINES} group by id")
    found = compared(mesh(lines()), mesh(lines(version="2.0.0", **NO_CHANNEL), adapted, WEB))
    assert states(found) == {"desk": "adapted", "web": "not reached"}
    assert found.problems == []


def test_a_comment_is_no_adaptation() -> None:
    commented = model("desk", "int_desk", f"select channel, count(*) as n from {LINES} group by channel -- adapted")
    found = compared(mesh(lines()), mesh(lines(version="2.0.0", **NO_CHANNEL), commented, WEB))
    assert states(found)["desk"] == "reached"


def test_what_reads_the_reader_is_named_with_the_way_to_it() -> None:
    totals = model("desk", "totals", f"select channel from {LINES}")
    far = model("far", "int_far", 'select channel from "mesh"."desk"."totals"', "model.desk.totals")
    board = {"name": "board", "domain": "far", "reads": ["model.far.int_far"]}
    changed = lines("select 1 as id, 'x' as channel, 5 as amount", version="2.0.0")
    found = compared(
        mesh(lines(), totals, far, WEB, exposures=[board]), mesh(changed, totals, far, WEB, exposures=[board])
    )
    assert states(found) == {"desk": "reached", "web": "not reached", "board": "further", "far": "further"}
    assert {one.name: one.why for one in found.ports[0].readers}["far"] == "through desk.totals"
    assert "exposure far.board" in printed(found)
    # Only consumers of the port itself are asked.
    assert "desk" in found.problems[0].text
    assert "far" not in found.problems[0].text


def test_a_dashboard_that_reads_the_port_is_reached_because_nobody_knows_its_columns() -> None:
    board = {"name": "board", "domain": "desk", "reads": ["model.shop.lines"]}
    changed = lines("select 1 as id, 'x' as channel, 5 as amount", version="2.0.0", consumers=["board"])
    found = compared(mesh(lines(consumers=["board"]), WEB, exposures=[board]), mesh(changed, WEB, exposures=[board]))
    assert states(found)["board"] == "reached"
    assert (
        found.problems[0]
        .ways[1]
        .endswith(
            "domains/desk/models/board.yml: config.meta.agreements: "
            "[{port: shop.lines, version: 2.0.0, by: NAME, date: YYYY-MM-DD}]"
        )
    )


def test_a_test_of_another_domain_reads_the_column_that_it_refers_to() -> None:
    to_lines = {"relationships": {"arguments": {"to": "ref('shop', 'lines')", "field": "channel"}}}
    own = {
        "domain": "desk",
        "name": "own",
        "sql": "select 'a' as channel",
        "columns": {"channel": ["string", to_lines]},
    }

    def with_test(port: dict[str, Any]) -> dict[str, Any]:
        found = mesh(port, own, WEB)
        for node in found["nodes"].values():
            if node["resource_type"] == "test":
                node["depends_on"]["nodes"].append("model.shop.lines")
        return found

    found = compared(with_test(lines()), with_test(lines(version="2.0.0", **NO_CHANNEL)))
    assert states(found) == {"desk": "reached", "web": "not reached"}
    found = compared(with_test(lines()), with_test(lines("select 1 as id, 'web' as channel, 6 as amount")))
    assert states(found) == {"desk": "not reached", "web": "reached"}


def test_who_names_no_version_is_reached_when_the_latest_moves() -> None:
    def both(latest: int) -> dict[str, Any]:
        free, pinned = f"model.shop.lines.v{latest}", "model.shop.lines.v1"
        ports = [lines(version=v, latest_version=latest) for v in (1, 2)]
        for port, v in zip(ports, (1, 2), strict=True):
            port |= {"version": v, "meta": port["meta"] | {"version": f"{v}.0.0"}}
        models = [
            model(
                "desk", "int_desk", "select 1 as n", free, refs=[{"name": "lines", "package": "shop", "version": None}]
            ),
            model("web", "int_web", "select 1 as n", pinned, refs=[{"name": "lines", "package": "shop", "version": 1}]),
        ]
        return manifest({"ports": ports, "models": models})

    found = compared(both(1), both(2))
    assert [one.code for one in found.ports[0].change.differences] == ["PM308"]
    assert states(found) == {"desk": "reached", "web": "not reached"}
    assert codes(found) == ["PM392"]
    assert "second version" not in printed(found)


def test_a_domain_does_not_notice_that_the_table_is_renamed() -> None:
    found = compared(
        mesh(lines(consumers=["desk", "tool"])), mesh(lines(consumers=["desk", "tool"], version="2.0.0", alias="l2"))
    )
    assert states(found) == {"desk": "not reached", "tool": "reached", "web": "not reached"}


def test_a_new_name_of_a_domain_is_one_change_for_each_port() -> None:
    before = manifest({"ports": [lines(consumers=["desk"])], "models": [DESK]})
    moved = lines(consumers=["desk"], domain="sales", version="2.0.0")
    reader = model("desk", "int_desk", DESK["sql"].replace("shop", "sales"), "model.sales.lines")
    found = compared(before, manifest({"ports": [moved], "models": [reader]}))
    assert [(one.change.label, one.change.verdict) for one in found.ports] == [("sales.lines", "major")]
    assert found.problems == []


def test_a_source_that_is_read_in_another_way_changes_the_ports_of_its_domain() -> None:
    def with_source(delimiter: str) -> dict[str, Any]:
        port = lines("select id, channel, amount from raw.lines", reads=["source.shop.raw.lines"])
        found = mesh(port, DESK)
        found["sources"]["source.shop.raw.lines"] = {
            "unique_id": "source.shop.raw.lines",
            "resource_type": "source",
            "package_name": "shop",
            "source_name": "raw",
            "name": "lines",
            "database": "mesh",
            "schema": "raw",
            "identifier": "lines",
            "relation_name": '"mesh"."raw"."lines"',
            "config": {"meta": {"landing": {"delimiter": delimiter}}},
            "columns": {},
            "created_at": delimiter,
        }
        return found

    found = compared(with_source(","), with_source(";"))
    assert [one.code for one in found.ports[0].change.differences] == ["PM372"]
    assert states(found)["desk"] == "reached"


def test_a_port_that_does_not_compile_says_what_dbt_said() -> None:
    after = mesh(lines("select {{ gone() }}", version="2.0.0"))
    after["nodes"]["model.shop.lines"]["compiled_code"] = None
    found = report(
        MeshState("main", mesh(lines())), MeshState("now", after, {"model.shop.lines": "'gone' is\nundefined"})
    )
    (difference,) = found.ports[0].change.differences
    assert (difference.code, difference.text) == ("PM373", "dbt cannot compile it: 'gone' is undefined")
    assert found.problems[0].ways[0] == "fix its SQL, or write it so that it can be read"


# --- consent ---


def major(version: str = "2.0.0", **more: Any) -> Report:
    keys = {"exposures": more.pop("exposures", []), "groups": more.pop("groups", [])}
    changed = lines("select 1 as id, 'x' as channel, 5 as amount", version=version, **more)
    return compared(mesh(lines(consumers=more.get("consumers", ["desk", "web"]))), mesh(changed, **keys))


def test_a_major_change_needs_the_reached_consumer_and_nobody_else() -> None:
    found = major()
    assert codes(found) == ["PM392"]
    (problem,) = found.problems
    assert problem.text == "shop.lines: the change is major, and it reaches desk without agreement"
    assert problem.ways[0] == (
        "ask desk to agree, each in its own folder:\n"
        "domains/desk/models/desk.yml: config.meta.agreements: "
        "[{port: shop.lines, version: 2.0.0, by: NAME, date: YYYY-MM-DD}]"
    )
    assert problem.ways[1].startswith("publish it as a second version")


def test_the_agreement_in_the_consumers_own_folder_is_enough() -> None:
    found = major(groups=[{"name": "desk", "meta": {"agreements": [AGREED]}}])
    assert found.problems == []
    assert "agreed by ana@example.com on 2026-11-01" in " ".join(printed(found).split())


def test_an_agreement_counts_before_the_owner_raises_the_version() -> None:
    groups = [{"name": "desk", "meta": {"agreements": [AGREED]}}]
    assert codes(major(version="1.0.0", groups=groups)) == ["PM391"]
    assert codes(major(version="1.0.0")) == ["PM391", "PM392"]


@pytest.mark.parametrize("other", [{"version": "3.0.0"}, {"port": "shop.stores"}])
def test_an_agreement_to_something_else_is_none(other: dict[str, str]) -> None:
    assert "PM392" in codes(major(groups=[{"name": "desk", "meta": {"agreements": [AGREED | other]}}]))


def test_the_agreement_of_another_consumer_is_none() -> None:
    assert codes(major(groups=[{"name": "web", "meta": {"agreements": [AGREED]}}])) == ["PM392"]


def test_an_exposure_agrees_in_its_own_yaml() -> None:
    board = {"name": "board", "domain": "desk", "reads": ["model.shop.lines"]}
    asked = major(consumers=["board"], exposures=[board])
    assert "reaches board" in asked.problems[0].text
    found = major(consumers=["board"], exposures=[board | {"meta": {"agreements": [AGREED], "tool": "superset"}}])
    assert "board" not in " ".join(one.text for one in found.problems)


def test_the_owner_speaks_for_those_outside_the_mesh_only() -> None:
    said = {"agreements": [{"from": "1.0.0", "with": ["tool", "desk"], "reason": "They said so."}]}
    found = major(consumers=["tool", "desk", "web"], meta=said)
    assert found.problems[0].text.endswith("it reaches desk without agreement")


def test_many_consumers_are_not_asked_first() -> None:
    names = ["desk", "a", "b"]
    readers = [model(name, f"int_{name}", DESK["sql"]) for name in names]
    changed = lines("select 1 as id, 'x' as channel, 5 as amount", version="2.0.0", consumers=names)
    found = compared(mesh(lines(consumers=names), *readers), mesh(changed, *readers))
    assert found.problems[0].ways[0].startswith("publish it as a second version")


@pytest.mark.parametrize(
    ("agreement", "why"),
    [
        (AGREED | {"port": "shop.line"}, "there is no port shop.line. Did you mean shop.lines?"),
        (AGREED | {"date": "2999-01-01"}, "it is of 2999-01-01, which is to come"),
    ],
)
def test_an_agreement_that_means_nothing_is_named(agreement: dict[str, str], why: str) -> None:
    groups = [{"name": "web", "meta": {"agreements": [agreement]}}]
    found = compared(mesh(lines()), mesh(lines(), groups=groups))
    assert codes(found) == ["PM393"]
    assert found.problems[0].text.endswith(f"means nothing: {why}")
    assert found.problems[0].file == "domains/web/models/web.yml"


def test_a_port_does_not_agree_with_itself() -> None:
    groups = [{"name": "shop", "meta": {"agreements": [AGREED]}}]
    assert "only consumers agree" in compared(mesh(lines()), mesh(lines(), groups=groups)).problems[0].text


def test_an_incomplete_agreement_says_what_is_missing() -> None:
    with pytest.raises(FindingsError) as error:
        major(groups=[{"name": "desk", "meta": {"agreements": [{"port": "shop.lines", "by": "ana"}]}}])
    text = str(error.value)
    assert "desk" in text
    assert "agreements.0.version" in text
    assert "agreements.0.date" in text
    assert "is missing" in text


def test_a_wrong_day_of_an_agreement_says_what_was_got_and_what_is_allowed() -> None:
    with pytest.raises(FindingsError) as error:
        major(groups=[{"name": "desk", "meta": {"agreements": [AGREED | {"date": "26.11.2026"}]}}])
    assert "agreements.0.date   got 26.11.2026; allowed is a day such as 2026-11-26" in str(error.value)


def test_a_state_that_cannot_be_read_is_named() -> None:
    with pytest.raises(FindingsError) as error:
        compared(mesh(lines(meta={"keep_versions": "many"})), mesh(lines()))
    assert "main (c37d537)" in str(error.value)
    assert "keep_versions" in str(error.value)


def test_a_second_version_needs_nobody() -> None:
    before = mesh(lines())
    versions = {"latest_version": 1}
    second = lines(**NO_CHANNEL) | {"version": 2, **versions}
    second["meta"] = second["meta"] | {"version": "2.0.0"}
    first = lines() | {"version": 1, "alias": "lines", **versions}
    models = [one | {"reads": ["model.shop.lines.v1"]} for one in (DESK, WEB)]
    found = compared(before, manifest({"ports": [first, second], "models": models}))
    assert [(one.change.label, one.change.verdict) for one in found.ports] == [
        ("shop.lines.v1", "patch"),
        ("shop.lines.v2", "minor"),
    ]
    assert found.problems == []


def test_a_port_goes_before_its_day_if_everybody_has_left() -> None:
    before = mesh(lines(consumers=["desk"]), DESK)
    gone = manifest({"ports": [], "models": [model("desk", "int_desk", "select 1 as n", "source.x")]})
    assert compared(before, gone).problems == []
    before = mesh(lines(consumers=["desk", "tool"]), DESK)
    found = compared(before, gone)
    assert found.problems[0].text.endswith("it reaches tool without agreement")
    assert "deprecation_date" in found.problems[0].ways[0]


# --- versions ---


@pytest.mark.parametrize(
    ("change", "version", "problem"),
    [
        ({}, "1.0.0", ""),
        ({}, "1.0.1", ""),
        ({}, "0.9.0", "its version went back from 1.0.0 to 0.9.0: set it to 1.0.0 or higher"),
        ({"description": "Another."}, "1.0.0", "its version is 1.0.0, and the change asks for 1.0.1 (before: 1.0.0)"),
        ({"description": "Another."}, "1.0.1", ""),
        ({"description": "Another."}, "3.0.0", ""),
        ({"columns": {"id": "bigint", "channel": "string", "amount": "int"}}, "1.0.1", "asks for 1.1.0"),
        ({"columns": {"id": "bigint", "channel": "string", "amount": "int"}}, "1.1.0", ""),
        (NO_CHANNEL, "1.9.0", "its version is 1.9.0, and the change asks for 2.0.0 (before: 1.0.0)"),
        (NO_CHANNEL, "2.0.0", ""),
        (NO_CHANNEL, "two", "its version is two, which is not major.minor.patch such as 2.0.0"),
        (NO_CHANNEL, "", "its version is missing, which is not major.minor.patch such as 2.0.0"),
    ],
)
def test_the_contract_version_matches_the_verdict(change: dict[str, Any], version: str, problem: str) -> None:
    unread = {"consumers": []}
    found = compared(
        manifest({"ports": [lines(**unread)]}),
        manifest({"ports": [lines(**unread) | {"meta": {"version": version}} | change]}),
    )
    said = " ".join(one.text for one in found.problems if one.code == "PM391")
    assert problem in said
    assert bool(problem) == bool(said)


def test_an_undetermined_change_counts_as_major() -> None:
    check = {"matches_pattern": {"arguments": {"pattern": "a"}}}
    other = {"matches_pattern": {"arguments": {"pattern": "b"}}}
    before = lines() | {"columns": {"id": "int", "channel": ["string", check], "amount": "int"}}
    after = lines() | {"columns": {"id": "int", "channel": ["string", other], "amount": "int"}}
    found = compared(mesh(before), mesh(after))
    assert found.verdict == "undetermined"
    assert found.ports[0].change.version_asked_for == "2.0.0"
    assert "undetermined, which counts as major, and it reaches desk" in found.problems[1].text


def test_the_owner_of_a_product_changes_without_a_new_version() -> None:
    groups = [{"name": "shop", "owner": {"name": "Another team", "email": "x@example.com"}}]
    found = compared(mesh(lines()), mesh(lines(), groups=groups))
    assert [one.code for one in found.ports[0].change.differences] == ["PM365"]
    assert found.problems == []


# --- what is printed ---


def test_people_read_first_what_it_means_for_consumers() -> None:
    text = printed(major())
    assert text.splitlines()[0] == "1 of 1 port changes, compared with main (c37d537). It reaches desk."
    assert "shop.lines: major, 1.0.0 to 2.0.0" in text
    assert "not reached" in text
    assert "Before it can land:" in text
    assert printed(compared(mesh(lines()), mesh(lines()))) == (
        "No contract changes, and every port means the same as in main (c37d537).\n"
    )


def test_the_markdown_shows_text_of_the_mesh_as_it_is() -> None:
    hostile = "<img src=x> | [a](javascript:b) `c` @everyone"
    before, after = lines(consumers=[]), lines(consumers=[hostile])
    text = as_markdown(compared(mesh(before), mesh(after)))
    assert text.startswith("<!-- portmesh diff -->\n### Contracts: patch\n")
    row = next(line for line in text.splitlines() if line.startswith("| PM362"))
    assert row.count("|") == 5
    assert not any(part in row for part in ("<img", "[a]", "`", "@"))


def test_programs_read_the_same_facts() -> None:
    facts = json.loads(json.dumps(as_facts(major()), default=str))
    (port,) = facts["ports"]
    assert (facts["verdict"], port["port"], port["version_asked_for"]) == ("major", "shop.lines", "2.0.0")
    assert port["differences"][0]["columns"] == ["channel"]
    assert {one["name"]: one["state"] for one in port["consumers"]} == {"desk": "reached", "web": "not reached"}
    assert facts["problems"][0]["rule"] == "PM392"


def test_a_long_list_is_cut_for_people_and_whole_for_programs() -> None:
    readers = [model("desk", f"int_{number:02}", DESK["sql"]) for number in range(30)]
    changed = lines("select 1 as id, 'x' as channel, 5 as amount", version="2.0.0")
    found = compared(mesh(lines(), *readers), mesh(changed, *readers))
    assert "and 18 more" in printed(found)
    assert as_markdown(found).count("- desk.int&#95;") == 12
    assert len(as_facts(found)["ports"][0]["consumers"][0]["nodes"]) == 30
    assert printed(found).count("\x1b") == 0


def test_a_name_cannot_write_to_the_terminal() -> None:
    text = printed(compared(mesh(lines()), mesh(lines(consumers=["desk", "web", "\x1b[31mred"]))))
    assert "\x1b" not in text
