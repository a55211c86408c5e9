"""One difference between two contracts, and the rules that find differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from portmesh.contracts.diff.terms import PortTerms

VERDICTS = ("patch", "minor", "undetermined", "major")
"""From the least to the most. Undetermined counts as major: nobody could show that readers are safe."""


@dataclass(frozen=True)
class Difference:
    """What changed, and what it does to readers.

    `about` is the column or check, empty for the port. It concerns readers of `columns`, or all readers if there are
    none, or only the named `consumers`. `asks_for_version` is false if no term of the contract changed.
    """

    level: str
    text: str
    about: str = ""
    columns: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    code: str = ""
    asks_for_version: bool = True

    @property
    def breaks(self) -> bool:
        return self.level in VERDICTS[2:]


Comparison = Callable[[PortTerms, PortTerms], Iterable[Difference]]


@dataclass(frozen=True)
class Rule:
    """A rule on changes: its code, what it looks for, and why it has the levels that it has."""

    code: str
    title: str
    why: str
    compare: Comparison | None = None


RULES: dict[str, Rule] = {}
"""All rules by code, in the order of the codes."""


def rule(code: str) -> Callable[[Comparison], Comparison]:
    """Make a comparison of two contracts a rule. Its docstring is the title and, below, the reason."""

    def register(compare: Comparison) -> Comparison:
        title, _, why = (compare.__doc__ or "").partition("\n")
        RULES[code] = Rule(code, title.strip().rstrip("."), " ".join(why.split()), compare)
        return compare

    return register


def differences(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """All differences between two contracts of one port, in the order of the rules' codes."""
    for one in sorted(RULES.values(), key=lambda each: each.code):
        if one.compare:
            yield from (replace(found, code=one.code) for found in one.compare(before, after))
