"""The help of each command: it is short, fits a narrow terminal and ends with an example."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main

from portmesh.cli import main, make_app

GROUP: Any = typer.main.get_command(make_app())
COMMANDS = list(GROUP.commands)


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def example_of(text: str) -> list[str]:
    """The words of the example, which is the last line."""
    heading, example = text.rstrip().splitlines()[-2:]
    assert heading == "  Example:"
    return shlex.split(example)


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 11


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_the_terminal_and_has_no_colour(
    name: str, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    text = help_of(capsys, name)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_ends_with_an_example_that_the_command_understands(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program, command, *arguments = example_of(help_of(capsys, name))
    assert (program, command) == ("portmesh", name)
    assert GROUP.commands[name].make_context(name, arguments)


def test_the_list_of_commands_has_a_whole_sentence_for_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = help_of(capsys)
    assert example_of(text) == ["portmesh", "status"]
    for name in COMMANDS:
        assert re.search(rf"^  {name} +[A-Z].*[a-zA-Z]\.$", text, re.MULTILINE), name
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("sttus", "No such command 'sttus'. Did you mean 'status'?"),
        ("status --jsn", "No such option: --jsn"),
        ("rollback", "Missing argument 'PORT'."),
        ("rename orders.lines", "Missing argument 'NEW'."),
        ("serve --port 99999", "Invalid value for '--port'"),
        ("clean --older-than 1week", "--older-than is not a time span."),
    ],
)
def test_wrong_input_is_named_and_nothing_runs(arguments: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert (out, said in err) == ("", True), err
