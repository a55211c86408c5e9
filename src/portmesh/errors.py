"""Typed errors, each with the exit code of the command that raises it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum
from textwrap import wrap

from portmesh.text import facts_block, printable_lines

LINE = 80
"""The most characters in a line of allowed names."""


class ExitCode(IntEnum):
    """The exit codes of the `portmesh` command."""

    FINE = 0
    FINDINGS = 1
    WRONG_USE = 2
    MISSING_ARTIFACT = 3
    WAITING = 4


class PortmeshError(Exception):
    """An expected failure: a sentence that says what it means, facts as (label, value), and what to do next."""

    exit_code = ExitCode.FINDINGS

    def __init__(
        self,
        message: str,
        facts: Sequence[tuple[str, str]] = (),
        next_step: str = "",
        as_json: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.facts = [*facts, *([("next", next_step)] if next_step else [])]
        self._as_json = as_json or dict(facts)
        self._next_step = next_step

    def of(self, label: str, value: str) -> PortmeshError:
        """The same error with one more fact in front."""
        facts = [fact for fact in self.facts if fact[0] != "next" or not self._next_step]
        return type(self)(self.message, [(label, value), *facts], self._next_step, {label: value, **self._as_json})

    @property
    def json_facts(self) -> dict[str, object]:
        """What `--json` prints: the facts by label. If labels repeat, the caller passes `as_json` instead."""
        return {"error": self.message, **self._as_json, **({"next": self._next_step} if self._next_step else {})}

    def __str__(self) -> str:
        return printable_lines(self.message) + (f"\n\n{facts_block(self.facts)}" if self.facts else "")


class FindingsError(PortmeshError):
    """The command found something that must be fixed."""

    exit_code = ExitCode.FINDINGS


class UsageError(PortmeshError):
    """The command was called or configured wrongly."""

    exit_code = ExitCode.WRONG_USE


class RequestError(UsageError):
    """What was asked for does not exist, or contradicts itself. Only who asked can mend it, and no other try helps."""


class MissingArtifactError(PortmeshError):
    """A file or package that the command needs is missing."""

    exit_code = ExitCode.MISSING_ARTIFACT


def nearest(got: str, known: Collection[str], cutoff: float = 0.6) -> str:
    """The known name that is most like the one given; empty if none is. `cutoff` is difflib's."""
    return next(iter(difflib.get_close_matches(got, known, n=1, cutoff=cutoff)), "")


def did_you_mean(got: str, known: Collection[str], cutoff: float = 0.4) -> str:
    """` Did you mean orders?`, to follow a sentence; empty if no known name is near. `cutoff` is difflib's."""
    near = nearest(got, known, cutoff)
    return f" Did you mean {near}?" if near else ""


def not_allowed(
    what: str, got: str, allowed: Collection[str], shown: str = "", error: type[UsageError] = UsageError
) -> UsageError:
    """An error for a value that is not `allowed`, which suggests the nearest one. `shown` replaces a long list."""
    names = shown or ", ".join(allowed)
    facts = [("got", got or "nothing"), ("allowed", "\n".join(wrap(names, LINE, break_on_hyphens=False)))]
    message = f"There is no {what} {got!r}.{did_you_mean(got, allowed)}"
    return error(message, facts, as_json=dict(facts) | {"allowed": names})
