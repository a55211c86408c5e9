"""Typed errors and the exit code that each one ends the command with."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum

from portmesh.text import facts_block, printable_lines


class ExitCode(IntEnum):
    """What a `portmesh` command ends with."""

    FINE = 0
    FINDINGS = 1
    WRONG_USE = 2
    MISSING_ARTIFACT = 3


class PortmeshError(Exception):
    """An expected failure: a sentence of what it means, facts as (label, value), what to run next."""

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

    @property
    def json_facts(self) -> dict[str, object]:
        """What `--json` prints: the facts as keys, or what was given for it where labels repeat."""
        return {"error": self.message, **self._as_json, **({"next": self._next_step} if self._next_step else {})}

    def __str__(self) -> str:
        return printable_lines(self.message) + (f"\n\n{facts_block(self.facts)}" if self.facts else "")


class FindingsError(PortmeshError):
    """Something was looked at and is not as it must be."""

    exit_code = ExitCode.FINDINGS


class UsageError(PortmeshError):
    """Wrong use or configuration."""

    exit_code = ExitCode.WRONG_USE


class MissingArtifactError(PortmeshError):
    """A file or package that the command needs is not there."""

    exit_code = ExitCode.MISSING_ARTIFACT


def not_allowed(what: str, got: str, allowed: Collection[str], shown: str = "") -> UsageError:
    """An error for a value outside `allowed`, with the nearest allowed one; `shown` shortens a long list."""
    near = difflib.get_close_matches(got, allowed, n=1, cutoff=0.4)
    facts = [("got", got or "nothing"), ("allowed", shown or ", ".join(allowed))]
    return UsageError(f"There is no {what} {got!r}." + (f" Did you mean {near[0]}?" if near else ""), facts)
