"""Rules on who may read a port, for what, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from portmesh.contracts.diff.difference import Difference, rule
from portmesh.contracts.diff.terms import PortTerms


def _names(port: PortTerms) -> list[str]:
    return list(dict.fromkeys(consumer.name for consumer in port.meta.consumers))


def _end(port: PortTerms, name: str) -> date | None:
    """The last day of a consumer's access; None if it has no end."""
    ends = [consumer.until for consumer in port.meta.of(name)]
    return None if None in ends else max(end for end in ends if end)


@rule("PM361")
def consumer_removed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A consumer was taken off the list.

    Its models are refused (PM104), and its grant on the table goes. If nothing of it reads the port any more, nobody
    has to agree.
    """
    for name in _names(before):
        if name not in _names(after):
            yield Difference("major", f"{name} may no longer read it", "consumers", consumers=(name,))


@rule("PM362")
def consumer_added(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A consumer was added.

    The others do not notice.
    """
    for name in _names(after):
        if name not in _names(before):
            yield Difference("patch", f"{name} may read it", "consumers", consumers=(name,))


@rule("PM363")
def access_ends(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The access of a consumer ends at another time.

    From the day after, its models that read the port are not built (PM105).
    """
    for name in _names(before):
        if name in _names(after) and (old := _end(before, name)) != (new := _end(after, name)):
            is_sooner = new is not None and (old is None or new < old)
            text = f"{name} may read it {_until(new)}, before {_until(old)}"
            yield Difference("major" if is_sooner else "patch", text, "consumers", consumers=(name,))


def _until(end: date | None) -> str:
    return f"until {end}" if end else "without an end"


@rule("PM364")
def purpose_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A consumer reads a port for another purpose.

    Its owner agreed to the old one. Whether the new one is allowed is not a question of breaking.
    """
    for name in _names(before):
        one, other = ([consumer.purpose for consumer in terms.meta.of(name)] for terms in (before, after))
        if other and one != other:
            yield Difference("patch", f"{name} reads it for: {'; '.join(other)}", "consumers", consumers=(name,))
