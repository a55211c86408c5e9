"""References: columns whose values are all in the key of another port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from portmesh.scaffold.column_names import is_id, refers_to, shared_prefix, words
from portmesh.scaffold.profile_columns import Column
from portmesh.text import quoted

NEARLY = {True: 0.5, False: 0.9}
"""Whether its name fits: the share of a column's values that must be in the key for it to be mentioned unchecked."""

ENOUGH_TEXTS = 3
"""A text whose name does not fit refers to a key only if it has this many different values, all of them in it."""


@dataclass(frozen=True)
class Target:
    """A key of a port: its table's name, how messages and models name it, and what DuckDB reads."""

    table: str
    label: str
    reference: str
    relation: str
    columns: tuple[str, ...]
    all_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Columns whose values are looked for in a key of a port: how many different ones it has and lacks."""

    columns: tuple[str, ...]
    target: Target
    values: int
    missing: int
    missing_rows: int

    @property
    def holds(self) -> bool:
        return self.missing == 0


def find_references(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    columns: Sequence[Column],
    targets: Sequence[Target],
) -> tuple[Reference, ...]:
    """For each column, the port that it refers to: its name fits and all its values are in the key.

    If several fit, the one of whose key it uses the largest share. A text without an identifier's name may have another
    name than the key (`origin`, `faa`). References of two columns and more are found where each name fits.
    """
    prefix = shared_prefix([column.name for column in columns if not column.name.startswith("_")])
    found: list[Reference] = []
    for column in columns:
        if column.name.startswith("_") or column.kind not in ("whole", "text", "date") or not column.distinct:
            continue
        own = column.name.removeprefix(prefix)
        named = [t for t in targets if len(t.columns) == 1 and refers_to(own, _bare(t), t.table)]
        if column.is_unique:
            # The key of this table: two tables of one thing have it under one name.
            named = [t for t in named if t.columns == (column.name,)]
        is_like_text = (
            column.kind == "text" and not is_id(own) and not column.is_unique and column.distinct >= ENOUGH_TEXTS
        )
        # A key that is not unique in one table, such as part's, refers to the table where it is.
        others = [t for t in targets if len(t.columns) == 1 and t not in named] if is_like_text and not named else []
        known = [(_compared(connection, rows, [column.name], target), target in named) for target in [*named, *others]]
        fitting = [r for r, _ in known if r and r.holds]
        nearly = [r for r, named_so in known if r and r.values and r.missing <= (1 - NEARLY[named_so]) * r.values]
        if fitting:
            found.append(max(fitting, key=lambda r: (r.values / _size(connection, r.target), r.target.label)))
        elif nearly:
            found.append(min(nearly, key=lambda r: r.missing))
    names = [column.name for column in columns]
    for target in targets:
        if len(target.columns) > 1:
            pairs = [
                next((n for n in names if words(n.removeprefix(prefix)) == words(bare)), "")
                for bare in _bare_all(target)
            ]
            if all(pairs) and (known_pair := _compared(connection, rows, pairs, target)) and known_pair.holds:
                found.append(known_pair)
    return tuple(found)


def may_refer(column: str, columns: Sequence[str], target: Target) -> bool:
    """Whether a column's name, among those of its table, means the key of a port."""
    own = column.removeprefix(shared_prefix([name for name in columns if not name.startswith("_")] or [column]))
    return len(target.columns) == 1 and refers_to(own, _bare(target), target.table)


def _bare_all(target: Target) -> list[str]:
    prefix = shared_prefix([name for name in target.all_columns if not name.startswith("_")])
    return [name.removeprefix(prefix) for name in target.columns]


def _bare(target: Target) -> str:
    return _bare_all(target)[0]


def _compared(
    connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str], target: Target
) -> Reference | None:
    """The exact comparison on all rows, or None if the types cannot be compared."""
    names = [quoted(name) for name in columns]
    theirs = [quoted(name) for name in target.columns]
    filled = " and ".join(f"{name} is not null" for name in names)
    keys = ", ".join(f"{name} as key_{place}" for place, name in enumerate(names))
    joined = " and ".join(f"own.key_{place} = theirs.{name}" for place, name in enumerate(theirs))
    own = f"select {keys}, count(*) as rows_ from {rows} where {filled} group by {', '.join(names)}"
    sql = (
        "select count(*), count(*) filter (where not is_there), "
        "coalesce(sum(rows_) filter (where not is_there), 0)::bigint "
        f"from (select own.rows_, exists (select 1 from {target.relation} as theirs where {joined}) as is_there "
        f"from ({own}) as own)"
    )
    if any(
        _is_text(connection, rows, a) != _is_text(connection, target.relation, b)
        for a, b in zip(names, theirs, strict=True)
    ):
        return None
    try:
        values, missing, missing_rows = connection.execute(sql).fetchall()[0]
    except (duckdb.BinderException, duckdb.ConversionException):
        return None
    return Reference(tuple(columns), target, values, missing, missing_rows)


def _is_text(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    described = connection.execute(f"describe select {column} from {relation}").fetchall()
    return bool(described[0][1] == "VARCHAR")


def _size(connection: duckdb.DuckDBPyConnection, target: Target) -> int:
    (size,) = connection.execute(f"select greatest(count(*), 1) from {target.relation}").fetchall()[0]
    return int(size)
