"""Asks what a command's options did not answer, on a terminal; elsewhere a missing answer is an error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import typer

from portmesh.errors import PortmeshError, UsageError
from portmesh.output import console
from portmesh.text import facts_block


def _anything(_: str) -> None:
    """Every answer is right."""


@dataclass(frozen=True)
class Question:
    """One question. `option` is `--owner`, `explained` says what the answer is for, with an example.

    `check` raises a PortmeshError for a wrong answer. A question with a `default` need not be answered.
    """

    option: str
    text: str
    explained: str
    check: Callable[[str], None] = _anything
    default: str | None = None


def answers(given: Mapping[str, str | None], questions: Sequence[Question]) -> dict[str, str]:
    """The answers by option: those given as options, then those that a person types.

    Raises UsageError if there is no terminal to ask on, with all options that are missing, or if an option is empty;
    and whatever the `check` of an option raises.
    """
    found = {question.option: _given(question, given.get(question.option)) for question in questions}
    missing = [question for question in questions if found[question.option] is None]
    if missing and not is_terminal():
        _assert_all_have_defaults(missing)
    result = {}
    for question in questions:
        answer = found[question.option]
        result[question.option] = answer if answer is not None else _ask(question)
    return result


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _given(question: Question, answer: str | None) -> str | None:
    if answer is None:
        return None
    answer = " ".join(answer.split())
    try:
        _check(question, answer)
    except PortmeshError as error:
        if question.option in error.message:
            raise
        raise error.of("option", question.option) from error
    return answer


def _check(question: Question, answer: str) -> None:
    if not answer and question.default != "":
        raise UsageError(f"{question.option} is empty.", [("asks", question.text)], f"for example {question.explained}")
    question.check(answer)


def _assert_all_have_defaults(missing: Sequence[Question]) -> None:
    needed = [question for question in missing if question.default is None]
    if needed:
        number = "An answer is" if len(needed) == 1 else f"{len(needed)} answers are"
        raise UsageError(
            f"{number} missing, and there is no terminal to ask on. Nothing was written.",
            [(question.option, f"{question.text} {question.explained}".strip()) for question in needed],
            "give these options, or run the command in a terminal",
        )


def _ask(question: Question) -> str:
    if not is_terminal():
        return question.default or ""
    out = console()
    out.print(f"\n{question.text} ({question.option})\n  {question.explained}", markup=False)
    while True:
        answer = " ".join(typer.prompt(">", default=question.default, show_default=bool(question.default)).split())
        try:
            _check(question, answer)
        except PortmeshError as error:
            out.print(f"{error.message}\n{facts_block(error.facts)}", markup=False)
        else:
            return answer
