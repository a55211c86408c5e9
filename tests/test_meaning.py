"""What a change of SQL means: which columns of which nodes can have other values, and what cannot matter."""

from __future__ import annotations

from typing import Any

import pytest

from portmesh.lineage.meaning import Changes, NodeChange, changes
from tests.sql_manifest import manifest, model, source

RAW = source("raw.users", {"id": "bigint", "email": "varchar", "username": "varchar", "is_active": "boolean"})
RAW_ID = "source.shop.raw.users"
USERS = 'select id, email, username from "mesh"."raw"."users"'


def mesh(users: str = USERS, **others: str) -> dict[str, Any]:
    """`users` of SQLMesh#6062 with the readers A, B and C, or other ones."""
    sql = {
        "a": 'select id, email from "mesh"."shop"."users"',
        "b": 'select id from "mesh"."shop"."users"',
        "c": 'select id from "mesh"."shop"."a"',
        **others,
    }
    parents = {"a": "model.shop.users", "b": "model.shop.users", "c": "model.shop.a"}
    readers = [model(f"shop.{name}", text, [parents.get(name, "model.shop.users")]) for name, text in sql.items()]
    return manifest(RAW, model("shop.users", users, [RAW_ID]), *readers)


def changed(found: Changes) -> set[str]:
    return {id_.removeprefix("model.shop.") for id_ in found.nodes}


def of(found: Changes, name: str) -> NodeChange:
    return found.nodes[f"model.shop.{name}"]


def test_nothing_changed() -> None:
    assert changes(mesh(), mesh()) == Changes({})


# The four cases of SQLMesh#6062: users is read by A (id, email) and B (id), and A by C (id).


def test_6062_an_added_column_reaches_nobody() -> None:
    found = changes(mesh(), mesh('select id, email, username, phone from "mesh"."raw"."users"'))
    assert changed(found) == {"users"}
    assert of(found, "users") == NodeChange("model.shop.users", added=("phone",))


def test_6062_a_changed_expression_reaches_who_reads_the_column() -> None:
    found = changes(mesh(), mesh('select id, lower(email) as email, username from "mesh"."raw"."users"'))
    assert changed(found) == {"users", "a"}
    (reason,) = of(found, "users").columns["email"]
    assert reason == "its expression is another: `LOWER(raw.users.email)`, was `raw.users.email`"
    assert of(found, "a").columns == {"email": ("it reads shop.users.email, which changes",)}
    assert not of(found, "a").rows


def test_6062_a_dropped_column_that_nobody_reads_reaches_nobody() -> None:
    found = changes(mesh(), mesh('select id, email from "mesh"."raw"."users"'))
    assert changed(found) == {"users"}
    assert of(found, "users").removed == ("username",)


def test_6062_a_changed_filter_reaches_everybody() -> None:
    found = changes(mesh(), mesh(f"{USERS} where is_active"))
    assert changed(found) == {"users", "a", "b", "c"}
    assert of(found, "users").rows == ("filter `raw.users.is_active` is new",)
    assert of(found, "c").rows == ("the rows of shop.a change",)
    assert of(found, "c").changes("id")


SAME = {
    "format": "SELECT id,\n email -- the address\n, username FROM mesh.raw.users",
    "alias": 'select u.id, u.email, u.username from "mesh"."raw"."users" as u',
    "order of columns": 'select username, email, id from "mesh"."raw"."users"',
    "cte": 'with u as (select * from "mesh"."raw"."users") select id, email, username from u',
    "star": 'with u as (select id, email, username from "mesh"."raw"."users") select * from u',
    "subquery": 'select * from (select id, email, username from "mesh"."raw"."users")',
    "parentheses": '(select (id) as id, ((email)) as email, username from "mesh"."raw"."users")',
    "order": f"{USERS} order by id",
}


@pytest.mark.parametrize("sql", SAME.values(), ids=SAME.keys())
def test_another_way_to_write_it_is_no_change(sql: str) -> None:
    assert changes(mesh(), mesh(sql)) == Changes({})


def test_a_cte_that_becomes_a_model_changes_no_reader() -> None:
    cte = 'with u as (select id from "mesh"."shop"."users" where email is not null) select id from u'
    before = mesh(b=cte)
    after = mesh(b='select id from "mesh"."shop"."u"')
    view = model(
        "shop.u",
        'select id from "mesh"."shop"."users" where email is not null',
        ["model.shop.users"],
        config={"materialized": "view"},
    )
    after["nodes"] |= view
    after["nodes"]["model.shop.b"]["depends_on"]["nodes"] = ["model.shop.u"]
    found = changes(before, after)
    assert changed(found) == {"u"}
    assert of(found, "u").new
    back = changes(after, before)
    assert changed(back) == {"u"}
    assert of(back, "u").gone


def test_logic_that_moves_from_a_reader_to_its_parent_changes_only_the_parent() -> None:
    before = mesh(b='select id, lower(email) as email from "mesh"."shop"."users"')
    after = mesh(
        'select id, email, lower(email) as low, username from "mesh"."raw"."users"',
        b='select id, low as email from "mesh"."shop"."users"',
    )
    assert changed(changes(before, after)) == {"users"}


def test_a_python_model_is_unknown_to_its_readers() -> None:
    before, after = mesh(), mesh()
    for each, code in ((before, "def model(dbt, session): ..."), (after, "def model(dbt, session): pass")):
        each["nodes"]["model.shop.users"] |= {"language": "python", "compiled_code": code}
    found = changes(before, after)
    assert of(found, "users").unknown == "its Python code is another"
    assert changed(found) == {"users", "a", "b", "c"}
    assert changes(before, before) == Changes({})


CODE = """
'''Who was active.'''
def model(dbt, session):
    '''Of all users.'''
    # The newest first.
    users = dbt.ref("users")
    return users.filter("is_active")
"""
DECLARED = {"rows_from": ["shop.users.id"], "name": ["shop.users.username"], "mail": ["shop.users.email"]}
OTHER_EMAIL = 'select id, lower(email) as email, username from "mesh"."raw"."users"'


def python_mesh(code: str = CODE, users: str = USERS, config: Any = None, **meta: Any) -> dict[str, Any]:
    """`active` is a Python model that reads `users`; `of_name` and `of_mail` each read a column of it in SQL.

    `meta` has the declarations: `rows_from`, and `computed_from` of its columns `name` and `mail`.
    """
    types = {"name": "int", "mail": "int"}
    active = model("shop.active", code, ["model.shop.users"], language="python", contract=types)
    node = active["model.shop.active"]
    node["config"] |= {"meta": {"rows_from": meta.get("rows_from")}, **(config or {})}
    for name, column in node["columns"].items():
        column["config"] = {"meta": {"computed_from": meta.get(name)}}
    readers = [
        model(f"shop.of_{name}", f'select {name} from "mesh"."shop"."active"', ["model.shop.active"]) for name in types
    ]
    return manifest(RAW, model("shop.users", users, [RAW_ID]), active, *readers)


def test_a_change_goes_through_a_python_model_as_it_declares() -> None:
    found = changes(python_mesh(**DECLARED), python_mesh(users=OTHER_EMAIL, **DECLARED))
    assert changed(found) == {"users", "active", "of_mail"}
    assert of(found, "active").columns == {"mail": ("it reads shop.users.email, which changes",)}
    assert not of(found, "active").rows
    other_id = 'select id + 1 as id, email, username from "mesh"."raw"."users"'
    of_rows = changes(python_mesh(**DECLARED), python_mesh(users=other_id, **DECLARED))
    assert of(of_rows, "active").rows == ("its rows depend on shop.users.id, which changes",)
    assert changed(of_rows) == {"users", "active", "of_name", "of_mail"}


def test_other_rows_of_what_python_reads_are_other_rows_whatever_it_declares() -> None:
    nothing: dict[str, Any] = {"rows_from": [], "name": [], "mail": []}
    found = changes(python_mesh(**nothing), python_mesh(users=f"{USERS} where is_active", **nothing))
    assert of(found, "active").rows == ("the rows of shop.users change",)
    assert changed(found) == {"users", "active", "of_name", "of_mail"}
    assert changed(changes(python_mesh(**nothing), python_mesh(users=OTHER_EMAIL, **nothing))) == {"users"}


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({}, "it is a Python model that declares no lineage"),
        ({"name": ["shop.users.username"], "mail": []}, "it declares no rows_from"),
        ({**DECLARED, "rows_from": ["shop.users.gone"]}, "its rows_from is wrong"),
        (
            {key: ["shop.users.gone"] for key in DECLARED},
            "it is a Python model, and what it declares is wrong: portmesh check says why",
        ),
    ],
)
def test_what_python_does_not_declare_counts_as_everything(declared: dict[str, Any], reason: str) -> None:
    found = changes(python_mesh(**declared), python_mesh(users=OTHER_EMAIL, **declared))
    assert of(found, "active").unknown == f"{reason}, and shop.users changes"
    assert changed(found) == {"users", "active", "of_name", "of_mail"}


@pytest.mark.parametrize("name", [None, ["shop.users.gone"], "shop.users.username"])
def test_a_column_without_a_right_declaration_may_come_from_any(name: object) -> None:
    declared = {**DECLARED, "name": name, "mail": []}
    found = changes(python_mesh(**declared), python_mesh(users=OTHER_EMAIL, **declared))
    assert set(of(found, "active").columns) == {"name"}
    assert changed(found) == {"users", "active", "of_name"}


def test_an_increment_of_python_may_read_its_own_changed_column() -> None:
    config = {"materialized": "incremental"}
    found = changes(python_mesh(config=config, **DECLARED), python_mesh(users=OTHER_EMAIL, config=config, **DECLARED))
    assert of(found, "active").rows == ("it is incremental, and its earlier rows may decide the new ones",)


def test_python_may_count_the_columns_of_what_it_reads() -> None:
    swapped = 'select email, id, username from "mesh"."raw"."users"'
    found = changes(python_mesh(**DECLARED), python_mesh(users=swapped, **DECLARED))
    assert of(found, "active").unknown == "its code is Python, and shop.users has its columns in other places"
    added = 'select id, email, username, phone from "mesh"."raw"."users"'
    assert changed(changes(python_mesh(**DECLARED), python_mesh(users=added, **DECLARED))) == {"users"}
    whole = {**DECLARED, "mail": ["shop.users"]}
    assert changed(changes(python_mesh(**whole), python_mesh(users=added, **whole))) == {"users", "active", "of_mail"}
    gone = 'select id, email from "mesh"."raw"."users"'
    assert of(changes(python_mesh(**DECLARED), python_mesh(users=gone, **DECLARED)), "active").unknown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# The newest first.", "# The oldest first,\n    # as of today."),
        ("'''Who was active.'''", ""),
        ("Of all users.", "Of some."),
        ('dbt.ref("users")', "dbt.ref(\n        'users'\n    )"),
    ],
)
def test_python_that_is_only_written_in_another_way_is_the_same(old: str, new: str) -> None:
    assert old in CODE
    assert changes(python_mesh(), python_mesh(CODE.replace(old, new))) == Changes({})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CODE, CODE.replace("is_active", "not is_active")),
        (CODE, CODE.replace("users.filter", "users.where")),
        ("def model(d, s):\n    return f(1)", "def model(d, s):\n    return f(1.0)"),
        ("def model(d, s):\n    return f(True)", "def model(d, s):\n    return f(1)"),
        ("def model(d, s):\n    return f('a')", "def model(d, s):\n    return f(b'a')"),
        ("def model(d, s):\n    return f('a b')", "def model(d, s):\n    return f('a  b')"),
        ("def f():\n    'One.'\ndef model(d, s): ...", "def f():\n    'Two.'\ndef model(d, s): ..."),
        ("@f\ndef model(d, s):\n    'One.'", "@f\ndef model(d, s):\n    'Two.'"),
        ("'One.'\ndef model(d, s):\n    return f(__doc__)", "'Two.'\ndef model(d, s):\n    return f(__doc__)"),
        ("def model(d, s):\n    if s:\n        f()\n    g()", "def model(d, s):\n    if s:\n        f()\n        g()"),
        ("def model(d, s) return 1", "def model(d, s)  return 1"),
    ],
)
def test_other_python_is_unknown(before: str, after: str) -> None:
    found = changes(python_mesh(before, **DECLARED), python_mesh(after, **DECLARED))
    assert of(found, "active").unknown == "its Python code is another"
    assert changed(found) == {"active", "of_name", "of_mail"}


def test_settings_and_contract_of_python() -> None:
    before = python_mesh(**DECLARED)
    assert changes(before, python_mesh(**{**DECLARED, "mail": ["shop.users.username"]})) == Changes({})
    found = changes(before, python_mesh(config={"post-hook": [{"sql": "select 1"}]}, **DECLARED))
    assert of(found, "active").unknown == "its post-hook changed, which may decide its rows"
    renamed = python_mesh(**DECLARED)
    columns = renamed["nodes"]["model.shop.active"]["columns"]
    columns["title"] = {**columns.pop("name"), "name": "title"}
    change = of(changes(before, renamed), "active")
    assert change.unknown == "its code is Python, and its contract has other columns"
    assert (change.added, change.removed) == (("title",), ("name",))
    in_sql = python_mesh(**DECLARED)
    in_sql["nodes"]["model.shop.active"] |= {"language": "sql", "compiled_code": "select 1 as name, 2 as mail"}
    assert of(changes(before, in_sql), "active").unknown == "it was a Python model"
    assert of(changes(in_sql, before), "active").unknown == "it is a Python model"


def test_the_order_of_rows_matters_to_who_takes_the_first() -> None:
    readers = {
        "b": 'select id from "mesh"."shop"."users" limit 3',
        "c": 'select id from "mesh"."shop"."a" where id > 3',
    }
    found = changes(mesh(**readers), mesh(f"{USERS} order by email", **readers))
    assert changed(found) == {"b"}


INCREMENT = (
    """select id, email, username from "mesh"."raw"."users" where id > (select max(id) from "mesh"."shop"."users")"""
)


def incremental(increment: str, full: str = USERS, **more: Any) -> dict[str, Any]:
    found = mesh(full)
    found["nodes"]["model.shop.users"] |= {"compiled_increment": increment, **more}
    found["nodes"]["model.shop.users"]["config"]["materialized"] = "incremental"
    return found


def test_increments_are_compared_too() -> None:
    before = incremental(INCREMENT)
    same = incremental(INCREMENT.replace('from "mesh"."shop"."users"', 'from "mesh"."shop"."users" as so_far'))
    assert changes(before, same) == Changes({})
    other = changes(before, incremental(INCREMENT.replace("id >", "id >=")))
    assert of(other, "users").rows
    assert changed(other) == {"users", "a", "b", "c"}


def test_an_increment_that_reads_its_own_changed_column_changes_rows() -> None:
    before = incremental(INCREMENT)
    other = "select id + 1 as id, email, username from mesh.raw.users"
    found = changes(before, incremental(INCREMENT.replace("select id,", "select id + 1 as id,"), other))
    assert "id" in of(found, "users").columns
    assert of(found, "users").rows


def test_increments_that_are_not_compiled_are_unknown_if_their_jinja_changed() -> None:
    before, after = mesh(), mesh()
    for each, raw in ((before, "{% if is_incremental() %} a"), (after, "{% if is_incremental() %} b")):
        each["nodes"]["model.shop.users"] |= {"raw_code": raw}
        each["nodes"]["model.shop.users"]["config"]["materialized"] = "incremental"
    assert "increment" in of(changes(before, after), "users").unknown
    assert changes(before, before) == Changes({})


def test_a_snapshot_has_a_version_of_a_row_more_where_a_value_changes() -> None:
    def with_snapshot(sql: str) -> dict[str, Any]:
        found = mesh(sql)
        found["nodes"]["model.shop.b"] |= {"resource_type": "snapshot"}
        found["nodes"]["model.shop.b"]["compiled_code"] = 'select id, email from "mesh"."shop"."users"'
        return found

    found = changes(with_snapshot(USERS), with_snapshot(USERS.replace("email", "upper(email) as email")))
    assert of(found, "b").rows == ("another value makes another version of a row",)


def test_sources_and_seeds() -> None:
    before, after = mesh(), mesh()
    after["sources"] = source("raw.users", {"id": "bigint", "email": "text", "username": "varchar"})
    found = changes(before, after)
    assert found.nodes[RAW_ID].columns == {"email": ("its type is text, was varchar",)}
    assert found.nodes[RAW_ID].removed == ("is_active",)
    assert changed(found) == {RAW_ID, "users", "a"}
    after["sources"][RAW_ID]["identifier"] = "people"
    assert changes(before, after).nodes[RAW_ID].rows == ("it is another table",)


# The two cases of dbt-core#15977: a contracted column is renamed, and dbt warns or says nothing.

MAIL = 'select id, email as mail, username from "mesh"."raw"."users"'
CONTRACT = {"id": "bigint", "email": "varchar", "username": "varchar"}
RENAMED = {"id": "bigint", "mail": "varchar", "username": "varchar"}


@pytest.mark.parametrize("name", ["shop.users", "shop.users.v1"], ids=["unversioned", "versioned"])
def test_15977_a_renamed_column_is_gone_for_its_readers(name: str) -> None:
    relation = "users" if name == "shop.users" else "users_v1"
    readers = [
        model("shop.a", f'select id, email from "mesh"."shop"."{relation}"', [f"model.{name}"]),
        model("shop.b", f'select id from "mesh"."shop"."{relation}"', [f"model.{name}"]),
    ]
    before = manifest(RAW, model(name, USERS, [RAW_ID], contract=CONTRACT), *readers)
    after = manifest(RAW, model(name, MAIL, [RAW_ID], contract=RENAMED), *readers)
    found = changes(before, after)
    assert found.nodes[f"model.{name}"].removed == ("email",)
    assert found.nodes[f"model.{name}"].added == ("mail",)
    assert of(found, "a").changes("email")
    assert "model.shop.b" not in found.nodes


def test_a_contract_with_other_digits_rounds() -> None:
    def with_contract(type_: str) -> dict[str, Any]:
        sql = 'select id / 3 as third from "mesh"."raw"."users"'
        return manifest(RAW, model("shop.users", sql, [RAW_ID], contract={"third": type_}))

    before = with_contract("decimal(10, 2)")
    assert of(changes(before, with_contract("decimal(10, 4)")), "users").columns == {
        "third": ("the contract rounds it to other digits",)
    }
    assert changes(before, with_contract("decimal(12,2)")) == Changes({})


def steps(number: int, name: str, at_60: str = "1", indent: str = "    ") -> str:
    """SQL of five lines for each step, over `users`; `at_60` is what step 60 adds."""
    ctes = [f'with {name}0 as (select id, email, username from "mesh"."shop"."users")']
    for each in range(1, number):
        id_ = f"id + {at_60 if each == 60 else 1} as id"
        lines = ["select", f"{id_}, coalesce(email, '{each}') as email", f"from {name}{each - 1}"]
        ctes.append("\n".join([f"{name}{each} as (", *(indent + line for line in lines), ")"]))
    return ",\n".join(ctes) + f"\nselect id, email from {name}{number - 1}"


def test_sql_of_500_lines() -> None:
    before = mesh(a=steps(110, "s"))
    assert steps(110, "s").count("\n") > 500
    assert changes(before, mesh(a=steps(110, "step_", indent="  "))) == Changes({})
    found = changes(before, mesh(a=steps(110, "step_", at_60="2")))
    assert (changed(found), set(of(found, "a").columns)) == ({"a", "c"}, {"id"})
