"""What is wrong with keys of YAML, in words: where, what was got, and what is allowed."""

from __future__ import annotations

from pydantic import ValidationError

A_DAY = "a day such as 2026-11-26"


def facts_of(error: ValidationError) -> list[tuple[str, str]]:
    """For each problem, the key's path and what is wrong there."""
    return [
        (".".join(map(str, each["loc"])), _in_words(each["type"], each["input"], each["msg"]))
        for each in error.errors()
    ]


def _in_words(kind: str, got: object, said: str) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is no key here"
    allowed = A_DAY if kind.startswith("date_") else said.removeprefix("Value error, ").removeprefix("Input should be ")
    return f"got {got if isinstance(got, str) else repr(got)}; allowed is {allowed}"
