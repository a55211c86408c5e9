"""Decides which rows of each table are taken, and which columns are masked. Nothing is read for that.

One entity is sampled: the same customers in every table that has their key. Other tables follow over declared keys, so
that what one table refers to is also taken from the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from portmesh.keys import CLASSIFICATIONS
from portmesh.sampling.wanted import Wanted, Wish

SMALL = 10_000
"""Tables of up to so many rows without the sampled key are taken as a whole."""
STAMPS = ("_batch_id", "_landed_at")
"""Written by the lake itself; never masked."""

WITHOUT_MASK = ("STRUCT", "MAP", "UNION", "VARIANT", "BLOB", "BIT", "INTERVAL", "GEOMETRY")
"""Types whose values are not replaced but left out. Lists are too."""

Place = tuple[str, str]
"""A column of a table: the table's label, and the column's name in lower case."""
How = tuple[str, str, tuple[Place, ...]]
"""A way, its column and its links, as in Choice."""


@dataclass(frozen=True)
class Facts:
    """What production's catalog says about a table: its columns with DuckDB's types, and its size.

    `rows` is None if nobody knows them before reading, as for a view. `bytes` are those that will be read.
    """

    columns: Mapping[str, str]
    rows: int | None
    bytes: int

    def has(self, column: str) -> bool:
        return column in {name.lower() for name in self.columns}


@dataclass(frozen=True)
class Choice:
    """How a table is sampled: `way` is hash, linked, whole or rows.

    `hash`: rows whose `column` has a hash below the share. `linked`: rows whose `column` is among the values that were
    taken in the columns `links`. `rows`: each row by its own hash. `masked` has the masked columns, each with how.
    `owner` is the column that says whose a row is, or empty.
    """

    table: Wanted
    facts: Facts
    way: str
    column: str = ""
    links: tuple[Place, ...] = ()
    owner: str = ""
    masked: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_unclassified(self) -> bool:
        """Whether columns are masked only because nobody classified them."""
        stated = self.table.classification or set(self.table.levels) >= {name.lower() for name in self.masked}
        return bool(self.masked) and not stated


def choose(wish: Wish, facts: Mapping[str, Facts], mask_above: str, whole: bool) -> list[Choice]:
    """A choice for each table, those first that others are linked to. `whole`: the share is 100 %."""
    tables = {table.label: table for table in wish.tables}
    links = list(_links(tables, facts))
    sampled = _sampled_columns(wish, facts)
    chosen: dict[str, How] = {}
    for label in tables:
        rows = facts[label].rows
        if whole or (label not in sampled and rows is not None and rows <= SMALL):
            chosen[label] = ("whole", "", ())
        elif label in sampled:
            chosen[label] = ("hash", sampled[label], ())
    while len(chosen) < len(tables):
        label, how = _linked(tables, chosen, links) or _alone(tables, chosen, facts, links)
        chosen[label] = how
    levels = _levels(tables, facts, links, sampled)
    return [
        Choice(
            tables[label],
            facts[label],
            *how,
            owner=sampled.get(label) or _own_key(tables[label], facts[label]),
            masked=_masked(tables[label], facts[label], levels, mask_above, links),
        )
        for label, how in chosen.items()
    ]


def _sampled_columns(wish: Wish, facts: Mapping[str, Facts]) -> dict[str, str]:
    """The column by which each table is sampled: the key of the entity that most tables have.

    If no port names a subject, the key that most tables have.
    """
    keys = {table.key[0]: frozenset(table.key) for table in wish.tables if len(table.key) == 1}
    best: dict[str, str] = {}
    for candidates in (wish.subjects, keys):
        for name in sorted(candidates):
            having = {
                label: column
                for label, fact in facts.items()
                for column in sorted(candidates[name], reverse=True)
                if fact.has(column)
            }
            if len(having) > len(best):
                best = having
        if best:
            break
    return best


def _links(tables: Mapping[str, Wanted], facts: Mapping[str, Facts]) -> Iterator[tuple[Place, Place]]:
    """Pairs of columns that join two tables: declared ones first, then a key and columns of the same name."""
    for label, table in tables.items():
        for reference in table.references:
            pair = ((label, reference.column), (reference.to, reference.to_column))
            if reference.to != label and all(place in facts and facts[place].has(column) for place, column in pair):
                yield pair
    for label, table in tables.items():
        key = table.key[0] if len(table.key) == 1 else ""
        for other in tables:
            if key and other != label and facts[other].has(key) and facts[label].has(key):
                yield (other, key), (label, key)


def _linked(
    tables: Mapping[str, Wanted], chosen: Mapping[str, How], links: Sequence[tuple[Place, Place]]
) -> tuple[str, How] | None:
    """A table without a choice that a sampled one is linked to, with all places that its column is linked to.

    Tables that sampled rows refer to come first, because these rows need them; then those that refer to sampled rows.
    """
    narrowed = {label for label, (way, *_) in chosen.items() if way in ("hash", "linked")}
    for pairs in ([(there, here) for here, there in links], links):
        for label in tables:
            found = [(here[1], there) for here, there in pairs if here[0] == label and there[0] in narrowed]
            if label not in chosen and found:
                column = found[0][0]
                return label, ("linked", column, tuple(dict.fromkeys(there for mine, there in found if mine == column)))
    return None


def _alone(
    tables: Mapping[str, Wanted],
    chosen: Mapping[str, How],
    facts: Mapping[str, Facts],
    links: Sequence[tuple[Place, Place]],
) -> tuple[str, How]:
    """A table that nothing sampled is linked to: the one that most links lead to, by its own key if it has one."""
    left = [label for label in tables if label not in chosen]
    linked_to = [label for pair in links for label, _ in pair]
    label = max(left, key=lambda name: (bool(_own_key(tables[name], facts[name])), linked_to.count(name)))
    own = _own_key(tables[label], facts[label])
    return label, (("hash", own, ()) if own else ("rows", "", ()))


def _own_key(table: Wanted, facts: Facts) -> str:
    """The key, if it is one column."""
    return table.key[0] if len(table.key) == 1 and facts.has(table.key[0]) else ""


def _levels(
    tables: Mapping[str, Wanted],
    facts: Mapping[str, Facts],
    links: Sequence[tuple[Place, Place]],
    sampled: Mapping[str, str],
) -> dict[Place, int]:
    """The rank of each column's classification. Joined columns have the highest of theirs, or no join would be left."""
    groups: dict[Place, set[Place]] = {}
    of_entity = list(sampled.items())
    for here, there in [*links, *pairwise(of_entity)]:
        both = groups.get(here, {here}) | groups.get(there, {there})
        groups.update(dict.fromkeys(both, both))
    own = {
        (label, name.lower()): CLASSIFICATIONS.index(table.level(name.lower()))
        for label, table in tables.items()
        for name in facts[label].columns
    }
    return {place: max(own[member] for member in groups.get(place, {place})) for place in own}


def _masked(
    table: Wanted, facts: Facts, levels: Mapping[Place, int], mask_above: str, links: Sequence[tuple[Place, Place]]
) -> dict[str, str]:
    """The columns of a table that are masked, each with how: value, choice or null."""
    limit = CLASSIFICATIONS.index(mask_above)
    keys = {place[1] for pair in links for place in pair if place[0] == table.label} | set(table.key)
    return {
        name: _how(name.lower(), kind, keys, table.accepted)
        for name, kind in facts.columns.items()
        if levels[table.label, name.lower()] > limit and name not in STAMPS
    }


def _how(name: str, kind: str, keys: set[str], accepted: Mapping[str, Sequence[Any]]) -> str:
    """`choice`: one of the accepted values; `value`: another value of the same shape; `null`: this type has no mask."""
    if name not in keys and (name in accepted or kind == "BOOLEAN" or kind.startswith("ENUM")):
        return "choice"
    return "null" if kind.endswith("]") or kind.startswith(WITHOUT_MASK) else "value"
