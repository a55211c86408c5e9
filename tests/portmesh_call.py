"""Calls `portmesh` in the tests' process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from portmesh.cli import main


@dataclass
class Call:
    """A finished call of `portmesh`."""

    exit_code: int
    out: str
    err: str


Portmesh = Callable[..., Call]


def call(*arguments: str) -> int:
    """Returns the exit code."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return int(stop.value.code or 0)


def captured(capsys: pytest.CaptureFixture[str]) -> Portmesh:
    """A function that calls `portmesh` and returns its output."""

    def run(*arguments: object) -> Call:
        exit_code = call(*(str(argument) for argument in arguments))
        return Call(exit_code, *capsys.readouterr())

    return run
