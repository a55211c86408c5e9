"""What to compare of a port: its tables, the key that pairs their rows, and the columns whose values are not shown."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.contracts.diff.report import Report
from portmesh.contracts.diff.terms import PortTerms
from portmesh.contracts.rows.comparing import Pair
from portmesh.errors import not_allowed
from portmesh.keys import CLASSIFICATIONS


def pairs_of(report: Report, hide_above: str) -> list[Pair]:
    """The ports that change and are in both meshes. Raises UsageError if `hide_above` is no classification."""
    if hide_above not in CLASSIFICATIONS:
        raise not_allowed("classification", hide_above, CLASSIFICATIONS)
    return list(_pairs(report, hide_above))


def _pairs(report: Report, hide_above: str) -> Iterator[Pair]:
    for port in report.ports:
        before, now = port.change.before, port.change.after
        if before and now:
            yield pair_of(before, now, hide_above)


def pair_of(before: PortTerms, now: PortTerms, hide_above: str) -> Pair:
    """The pair of a port. Values of columns classified above `hide_above` are not read."""
    return Pair(
        port=now.label,
        published=before.relation,
        built=now.relation,
        key=key_of(before, now),
        hidden=hidden(before, now, hide_above),
    )


def key_of(before: PortTerms, now: PortTerms) -> tuple[str, ...]:
    """The columns that pair rows: the smallest key that both contracts promise, in the order of the columns.

    If they promise no common key, that of the new contract; if it has none, what replaces rows in an increment.
    """
    found = [key for key in (now.keys & before.keys) or now.keys or before.keys if _has(before, now, key)]
    by_size = sorted(found, key=lambda key: (len(key), sorted(key)))
    key = by_size[0] if by_size else frozenset(now.unique_key)
    return tuple(name for name in now.columns if name in key) if _has(before, now, key) else ()


def _has(before: PortTerms, now: PortTerms, key: frozenset[str]) -> bool:
    return key <= before.columns.keys() and key <= now.columns.keys()


def hidden(before: PortTerms, now: PortTerms, hide_above: str) -> dict[str, str]:
    """The columns classified above a level, each with its level: the stricter one of both contracts.

    A branch that lowers a classification must not show what production protects. What nobody classified is restricted.
    """
    limit = CLASSIFICATIONS.index(hide_above)
    levels = {
        name: max(_level(terms, name) for terms in (before, now) if name in terms.columns)
        for name in {**before.columns, **now.columns}
    }
    return {name: CLASSIFICATIONS[level] for name, level in levels.items() if level > limit}


def _level(terms: PortTerms, column: str) -> int:
    level = terms.columns[column].level or terms.meta.classification
    return CLASSIFICATIONS.index(level if level in CLASSIFICATIONS else CLASSIFICATIONS[-1])
