"""Keys: the columns that tell each row from every other, verified on all rows.

What may be a key, and which of several comes first, is decision 0029 (docs/decisions/0029-checks-are-proposed.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import duckdb

from portmesh.scaffold.column_names import is_id, is_part_of_time, names_the_table, shared_prefix
from portmesh.scaffold.profile_columns import Column
from portmesh.text import quoted

MOST_COLUMNS = 5
MOST_CANDIDATES = 12
AT_A_TIME = 4_000_000
"""Rows whose keys are compared at once: more would need more memory."""

CODE_LENGTH = 16
APPROXIMATE = 0.8
"""An approximate count below this share of the rows rules out a key. DuckDB's error is a few percent."""

BY_CHANCE = 2.0
"""Equal rows that there would be on average if each column were independent of the others in the key: with fewer,
having none proves nothing. With two, none would be found by chance in one of seven cases."""


@dataclass(frozen=True)
class Keys:
    """Keys, the best first. `accidental` are columns that are unique, but are not what identifies a row.

    If there is no key: `tried` are the columns that were combined, and `copies` is how many rows have all of them like
    an earlier row. `by_chance` are columns that have no equal rows together, in too few rows to tell.
    """

    candidates: tuple[tuple[str, ...], ...] = ()
    accidental: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    copies: int = 0
    by_chance: tuple[str, ...] = ()


def unique_columns(connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[Column]) -> set[str]:
    """The columns that have another value in every row, and no nulls."""
    search = _Search(connection, rows, columns[0].rows if columns else 0)
    return {
        column.name
        for column in columns
        if search.total > 1 and not column.nulls and column.distinct >= APPROXIMATE * search.total
        if search.is_key((column.name,))
    }


def copies_of(connection: duckdb.DuckDBPyConnection, rows: str, names: Sequence[str]) -> int:
    """How many rows have the same values in these columns as an earlier row."""
    (total,) = connection.execute(f"select count(*) from {rows}").fetchall()[0]
    return _Search(connection, rows, total).copies(names)


def find_keys(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    table: str,
    columns: Sequence[Column],
    referring: Collection[str] = (),
) -> Keys:
    """The keys of a table. `referring` are columns whose values are all in the key of another table."""
    total = columns[0].rows if columns else 0
    own = [column for column in columns if not column.name.startswith("_") and not column.nulls]
    if total < 2:
        return Keys()
    search = _Search(connection, rows, total)
    unique = [column for column in own if column.is_unique]
    prefix = shared_prefix([column.name for column in columns if not column.name.startswith("_")])
    single = _single(table, prefix, own, [c.name for c in unique], referring)
    if single:
        rest = tuple(c.name for c in unique if c.name not in single)
        return Keys(tuple((name,) for name in single), rest)
    members = _members(table, prefix, own, referring)
    accidental = tuple(c.name for c in unique)
    found = search.combined({name: weight for name, weight in members.items() if name not in accidental}, own)
    proven = tuple(names for names in found if search.equal_by_chance(names, own) >= BY_CHANCE)
    if proven or found:
        return Keys(proven, accidental, by_chance=() if proven else found[0])
    tried = tuple(members)
    return Keys((), accidental, tried, search.copies(tried) if tried else 0)


def _single(
    table: str, prefix: str, own: Sequence[Column], unique: Sequence[str], referring: Collection[str]
) -> list[str]:
    """The unique columns that identify a row: see the decision."""
    by_name = {column.name: column for column in own}
    # No measure, time or long text is a key by itself.
    usable = [
        name
        for name in unique
        if by_name[name].kind in ("whole", "text")
        and (by_name[name].kind != "text" or (by_name[name].longest or 0) <= 64)
    ]
    leading = []
    for place, column in enumerate(own):
        if column.name not in usable or not (place == 0 or _is_id(column.name, prefix, table)):
            break
        leading.append(column.name)
    named = [name for name in usable if is_id(name) and names_the_table(name.removeprefix(prefix), table)]
    best = [name for name in usable if name in leading or name in named]
    if best:
        return best
    others = [name for name in usable if _is_id(name, prefix, table) and name not in referring]
    return others[:1]


def _is_id(name: str, prefix: str, table: str) -> bool:
    bare = name.removeprefix(prefix)
    return is_id(name) or (bool(bare) and names_the_table(bare, table))


def _members(table: str, prefix: str, own: Sequence[Column], referring: Collection[str]) -> dict[str, int]:
    """Columns that can be part of a key, with how doubtful each is: 0 an identifier, 1 a time, 2 a code."""
    found: dict[str, int] = {}
    for place, column in enumerate(own):
        if column.distinct < 2 or column.kind not in ("whole", "text", "date", "timestamp"):
            continue
        is_whole_or_text = column.kind in ("whole", "text")
        is_code = column.kind == "text" and (column.longest or 0) <= CODE_LENGTH
        if column.kind in ("date", "timestamp") or is_part_of_time(column.name):
            found[column.name] = 1
        elif is_whole_or_text and (column.name in referring or _is_id(column.name, prefix, table)):
            found[column.name] = 0
        elif is_code or (place == 0 and is_whole_or_text):
            found[column.name] = 2
    by_name = {column.name: column for column in own}
    best = sorted(found, key=lambda name: (found[name], -by_name[name].distinct))[:MOST_CANDIDATES]
    return {name: found[name] for name in found if name in best}


@dataclass
class _Search:
    connection: duckdb.DuckDBPyConnection
    rows: str
    total: int

    def combined(self, members: dict[str, int], columns: Sequence[Column]) -> tuple[tuple[str, ...], ...]:
        """The smallest combinations that are keys. Of these, the ones whose members are least doubtful.

        A combination with a smaller key in it is none, so the search ends at the first size with a key.
        """
        distinct = {column.name: column.distinct for column in columns}
        times = {c.name for c in columns if c.kind in ("date", "timestamp")}
        for size in range(2, min(MOST_COLUMNS, len(members)) + 1):
            possible = [
                names
                for names in combinations(members, size)
                # 1.2: the counts are approximate. One point in time is enough.
                if prod(distinct[name] * 1.2 for name in names) >= self.total and len(times.intersection(names)) <= 1
            ]
            found: list[tuple[str, ...]] = []
            least = 9
            for names in sorted(possible, key=lambda n: sum(members[name] for name in n)):
                doubt = sum(members[name] for name in names)
                if doubt > least:
                    break
                if self.may_be_key(names) and self.is_key(names):
                    found.append(names)
                    least = doubt
            if found:
                return tuple(found)
        return ()

    def equal_by_chance(self, names: Sequence[str], columns: Sequence[Column]) -> float:
        """How many pairs of equal rows there would be on average if a column did not depend on the key's others.

        These are the pairs that are equal in the others, divided by the column's different values. The least counts.
        """
        distinct = {column.name: column.distinct for column in columns}
        return min(self._pairs([n for n in names if n != name]) / max(distinct[name], 1) for name in names)

    def _pairs(self, names: Sequence[str]) -> int:
        """How many pairs of rows have the same values."""
        return self._sum_of_groups("n * (n - 1) // 2", names)

    def copies(self, names: Sequence[str]) -> int:
        """How many rows have these values like an earlier row."""
        return self._sum_of_groups("n - 1", names)

    def _sum_of_groups(self, of_group: str, names: Sequence[str]) -> int:
        """The sum over all different keys of an expression of n, their number of rows; part by part of the keys."""
        key = ", ".join(quoted(name) for name in names)
        parts = self.total // AT_A_TIME + 1
        sql = "select sum({}) from (select count(*)::hugeint as n from {} where hash({}) % {} = {} group by {})"
        return sum(
            int(found or 0)
            for part in range(parts)
            for (found,) in self.connection.execute(sql.format(of_group, self.rows, key, parts, part, key)).fetchall()
        )

    def may_be_key(self, names: Sequence[str]) -> bool:
        """False only if it certainly is no key: two equal keys are among a part of the rows."""
        one = quoted(names[0])
        parts = max(self.total // 500_000, 1)
        if parts == 1:
            return True
        return not self._twice(names, f"rowid < {self.total // parts}") and not self._twice(
            names, f"hash({one}) % {parts} = 0"
        )

    def is_key(self, names: Sequence[str]) -> bool:
        """Whether no two rows have the same values, on all rows: part by part of the keys, so that memory suffices."""
        parts = self.total // AT_A_TIME + 1
        key = ", ".join(quoted(name) for name in names)
        return not any(
            self._twice(names, f"hash({key}) % {parts} = {part}" if parts > 1 else "true") for part in range(parts)
        )

    def _twice(self, names: Iterable[str], where: str) -> bool:
        key = ", ".join(quoted(name) for name in names)
        sql = f"select 1 from {self.rows} where {where} group by {key} having count(*) > 1 limit 1"
        return bool(self.connection.execute(sql).fetchall())
