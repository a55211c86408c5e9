"""Values from data never reach a terminal unescaped: the macro printable, and the kit's tables."""

from __future__ import annotations

import pytest
from rich.console import Console

from portmesh.errors import UsageError
from portmesh.output import table
from portmesh.text import printable
from tests.mesh import Mesh

SHOWN = {
    "plain": ("store 12", "store 12"),
    "letters of all the world": ("Zoë, 東京, 🥐", "Zoë, 東京, 🥐"),
    "newline": ("a\nb\r\nc\td", "a\\nb\\r\\nc\\td"),
    "clear the screen": ("a\x1b[2J\x1b[Hb", "a\\x1b[2J\\x1b[Hb"),
    "bell and backspace": ("a\a\bb\x00", "a\\x07\\x08b\\x00"),
    "one-byte controls": ("a\x9b2Jb", "a\\x9b2Jb"),
    "right to left": ("a\u202etxt.exe", "a\\u202etxt.exe"),
    "invisible": ("a\u200b\ufeffb\xa0", "a\\u200b\\ufeffb\\xa0"),
    "line separator": ("a\u2028b", "a\\u2028b"),
    "long": ("x" * 1000, "x" * 59 + "…"),
    "as long as allowed": ("x" * 60, "x" * 60),
    "long once it is shown": ("\x1b" * 20, ("\\x1b" * 20)[:59] + "…"),
    "empty": ("", ""),
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Each value as the macro shows it."""
    mesh = Mesh(tmp_path_factory.mktemp("printable"))
    mesh.set_up("shop")
    values = ", ".join(f"{name!r}: {value!r}" for name, (value, _) in SHOWN.items())
    mesh.write("domains/shop/macros/show.sql", SHOW.replace("VALUES", values))
    assert mesh.dbt("deps").ok
    output = mesh.dbt("run-operation", "show").output
    return dict(line.removeprefix("show ").split("=", 1) for line in output.splitlines() if line.startswith("show "))


SHOW = """
{% macro show() %}
{% set values = {VALUES, 'none': none, 'number': 1.5} %}
{% for name, value in values.items() %}
  {% do log('show ' ~ name ~ '=' ~ portmesh.printable(value), info=true) %}
{% endfor %}
{% do log('show short=' ~ portmesh.printable('abcdef', 4), info=true) %}
{% endmacro %}
"""


@pytest.mark.parametrize("name", SHOWN)
def test_the_macro_shows_what_does_not_print(shown: dict[str, str], name: str) -> None:
    assert shown[name] == SHOWN[name][1]


def test_the_macro_takes_any_value(shown: dict[str, str]) -> None:
    assert (shown["none"], shown["number"], shown["short"]) == ("null", "1.5", "abc…")


@pytest.mark.parametrize("name", SHOWN)
def test_the_kit_shows_the_same(name: str) -> None:
    value, as_shown = SHOWN[name]
    assert printable(value, 60) == as_shown


def test_a_cell_of_a_table_is_text_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=100).print(table(("port", "state"), [("[red]lines[/red]", "a\x1b[2J\nb")]))
    assert capsys.readouterr().out.splitlines()[1].rstrip() == "[red]lines[/red]   a\\x1b[2J\\nb"


def test_an_error_keeps_its_lines_and_nothing_else_that_does_not_print() -> None:
    error = UsageError("It broke.\nHere.", [("said", "a\x1b[2J\nb\x07")], "try again")
    assert str(error) == "It broke.\nHere.\n\n  said   a\\x1b[2J\n         b\\x07\n  next   try again"
