"""The tables that the SQL of a YAML port is made of: one for each CTE.

A table is asked for its columns by whoever reads it; what nobody asks for is not selected. So the steps are read from
the first to the last, and each table is printed when all are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portmesh.scaffold.yaml_port import problem, unknown
from portmesh.scaffold.yaml_port_inputs import Key
from portmesh.scaffold.yaml_port_printing import Chain, ColumnTerm, Term, layout, layout_block

INDENT = 4


class Table:
    """A table of the statement, by the name of its CTE."""

    def __init__(self, name: str, why: str = "") -> None:
        self.name, self.why = name, why
        self.used: dict[str, str] = {}
        self.is_read = False

    def names(self) -> Sequence[str] | None:
        """The names of all columns, or None if they are not known."""
        raise NotImplementedError

    def unique_keys(self) -> tuple[Key, ...]:
        """The sets of columns that no two rows have in common. An empty set: it has one row."""
        raise NotImplementedError

    def use(self, column: str, key: str) -> str:
        """Ask for a column, at a key of the block. Returns its type."""
        raise NotImplementedError

    def lines(self) -> list[str]:
        """The statement of the CTE."""
        raise NotImplementedError

    def has(self, column: str) -> bool:
        names = self.names()
        return names is None or column in names


class InputTable(Table):
    """A port or another model that the port reads."""

    def __init__(
        self, name: str, select: str, types: Mapping[str, str], is_complete: bool, keys: tuple[Key, ...]
    ) -> None:
        super().__init__(name)
        self.select, self.types, self.is_complete, self._keys = select, types, is_complete, keys

    def names(self) -> Sequence[str] | None:
        return list(self.types) if self.is_complete else None

    def unique_keys(self) -> tuple[Key, ...]:
        return self._keys

    def use(self, column: str, key: str) -> str:
        if not self.has(column):
            raise unknown(key, "column", column, self.types, f"name a column of {self.name}")
        self.used[column] = self.types.get(column, "")
        return self.used[column]

    def lines(self) -> list[str]:
        return [" " * INDENT + self.select]


class StackTable(Table):
    """The rows of several tables, one below the other."""

    def __init__(self, name: str, parts: Sequence[Table], why: str) -> None:
        super().__init__(name, why)
        self.parts = parts

    def names(self) -> Sequence[str] | None:
        found = self.parts[0].names()
        return None if found is None else [name for name in found if all(part.has(name) for part in self.parts)]

    def unique_keys(self) -> tuple[Key, ...]:
        return ()

    def use(self, column: str, key: str) -> str:
        for part in self.parts:
            if not part.has(column):
                raise unknown(key, "column", column, part.names() or [],
                              f"{part.name} is stacked, so it needs the column too: prepare it with `add`")  # fmt: skip
        kinds = {part.use(column, key) for part in self.parts}
        self.used[column] = kinds.pop() if len(kinds) == 1 else ""
        return self.used[column]

    def lines(self) -> list[str]:
        order = [name for name in self.parts[0].names() or self.used if name in self.used]
        found: list[str] = []
        for number, part in enumerate(self.parts):
            found += [" " * INDENT + "union all"] if number else []
            found += [*_select_list([(name, name) for name in order]), " " * INDENT + f"from {part.name}"]
        return found


@dataclass
class Joined:
    """A table that is joined, and what makes two rows match."""

    table: Table
    how: str
    key: str
    pairs: list[tuple[ColumnTerm, ColumnTerm]]
    conditions: list[Term] = field(default_factory=list)

    def lines(self) -> list[str]:
        start = " " * INDENT + f"{self.how} join {self.table.name}"
        terms: list[Term] = [Chain("boolean", "=", pair) for pair in self.pairs]
        for condition in self.conditions:
            is_and = isinstance(condition, Chain) and condition.operator == "and"
            terms += condition.operands if is_and and isinstance(condition, Chain) else [condition]
        if not terms:
            return [" " * INDENT + f"cross join {self.table.name}"]
        indent = INDENT * 2
        if len(terms) == 1 and len(found := layout(terms[0], indent, "on ", "")) == 1:
            return [start, *found]
        lines = [
            line for n, term in enumerate(terms) for line in layout(term, indent + INDENT, "and " if n else "", "")
        ]
        return [start, " " * indent + "on", *lines]


class SelectTable(Table):
    """One select: a table, what is joined to it, the rows that are kept, and the columns that are made."""

    def __init__(self, base: Table, aliases: Iterable[str]) -> None:
        super().__init__("")
        self.base, self.aliases = base, {*aliases, base.name}
        self.joins: list[Joined] = []
        self.filters: list[Term] = []
        self.made: dict[str, Term] = {}
        self.where_made: dict[str, str] = {}
        self.group: list[ColumnTerm] | None = None
        self.kept_keys: tuple[Key, ...] | None = None
        self.final: list[str] | None = None
        self.is_ranking = self.is_windowing = False
        self.asked: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether a further step may join, keep or make columns here."""
        return not self.made and self.group is None

    @property
    def tables(self) -> list[Table]:
        return [self.base, *(joined.table for joined in self.joins)]

    def find(self, table: str, column: str, key: str) -> ColumnTerm:
        """A column of one of the tables; without a table, of the only one that has it."""
        if table:
            found = [
                each for each in self.tables if table == each.name or (each is self.base and table in self.aliases)
            ]
            if not found:
                names = [*self.aliases, *(joined.table.name for joined in self.joins)]
                raise unknown(key, "table", table, names, "name a table of this step, or the column alone")
        else:
            found = self._owners(column, key)
        self.asked.add(found[0].name)
        return ColumnTerm(found[0].use(column, key), found[0].name, column, bool(self.joins))

    def _owners(self, column: str, key: str) -> list[Table]:
        same = {pair[1].column for joined in self.joins for pair in joined.pairs if pair[0].column == pair[1].column}
        tables = self.tables if column not in same else [t for t in self.tables if t.has(column)][:1]
        owners = [table for table in tables if table.has(column)]
        sure = [table for table in owners if table.names() is not None]
        if len(tables) > 1 and len(owners) > 1:
            names = ", ".join(f"{table.name}.{column}" for table in owners)
            what = "Several tables have" if len(sure) == len(owners) else "Several tables may have"
            raise problem(key, f"{what} the column {column}.", column, names, "write which one is meant")
        if not owners:
            names_of = [name for table in self.tables for name in table.names() or []]
            raise unknown(key, "column", column, names_of, "name a column that the tables of this step have")
        return owners

    def names(self) -> Sequence[str] | None:
        if self.group is not None:
            return [*dict.fromkeys([*(term.column for term in self.group), *self.made])]
        listed = [table.names() for table in self.tables]
        if any(names is None for names in listed):
            return None
        return list(dict.fromkeys([*(name for names in listed for name in names or []), *self.made]))

    def unique_keys(self) -> tuple[Key, ...]:
        if self.group is not None:
            return (frozenset(term.column for term in self.group),)
        kept = self.base.unique_keys() if self.kept_keys is None else self.kept_keys
        return tuple(key for key in kept if not key & set(self.made))

    def use(self, column: str, key: str) -> str:
        if column in self.made:
            self.used[column] = self.made[column].kind
        elif self.group is not None:
            named = {term.column: term for term in self.group}
            if column not in named:
                raise unknown(key, "column", column, self.names() or [], "add it to the step before, which groups")
            self.used[column] = named[column].kind
        else:
            self.used[column] = self.find("", column, key).kind
        return self.used[column]

    def unused(self) -> list[tuple[str, str]]:
        """Columns that are made and that nothing uses, with the keys that make them."""
        return [(name, self.where_made[name]) for name in self.made if name not in self.used]

    def lines(self) -> list[str]:
        order = self.final or self._order()
        items: list[tuple[Term | str, str]] = []
        for name in order:
            grouped = {term.column: term for term in self.group or []}
            items.append((self.made.get(name) or grouped.get(name) or self.find("", name, ""), name))
        found = [*_select_list(items), " " * INDENT + f"from {self.base.name}"]
        for joined in self.joins:
            found += joined.lines()
        if self.filters:
            parts = [
                p for f in self.filters for p in (f.operands if isinstance(f, Chain) and f.operator == "and" else [f])
            ]
            term = parts[0] if len(parts) == 1 else Chain("boolean", "and", tuple(parts))
            found += layout_block(term, INDENT, "where")
        if self.group:
            found.append(" " * INDENT + f"group by {', '.join(term.flat() for term in self.group)}")
        return found

    def _order(self) -> list[str]:
        known = [name for table in self.tables for name in table.names() or []]
        first = [term.column for term in self.group] if self.group is not None else known
        names = dict.fromkeys([*(name for name in first if name not in self.made), *self.used])
        passed = [name for name in names if name in self.used and name not in self.made]
        return [*passed, *(name for name in self.made if name in self.used)]


def _select_list(items: Sequence[tuple[Term | str, str]]) -> list[str]:
    """`select`, with one column a line; a single short column stands beside it."""
    listed: list[list[str]] = []
    for number, (term, name) in enumerate(items):
        comma = "," if number < len(items) - 1 else ""
        indent = INDENT * 2
        if isinstance(term, str) or (isinstance(term, ColumnTerm) and term.column == name):
            text = term if isinstance(term, str) else term.flat()
            listed.append([f"{' ' * indent}{text}{comma}"])
        else:
            listed.append(layout(term, indent, "", f" as {name}{comma}"))
    if len(listed) == 1 and len(listed[0]) == 1:
        return [f"{' ' * INDENT}select {listed[0][0].strip()}"]
    return [" " * INDENT + "select", *(line for lines in listed for line in lines)]


def refuse_unused(tables: Iterable[SelectTable]) -> None:
    """Raises UsageError for a column that is made, or a table that is joined, and that nothing uses."""
    for table in tables:
        for joined in table.joins:
            if joined.how == "left" and joined.table.name not in table.asked:
                fix = "remove the join, or write how: inner to keep only rows that have a match"
                raise problem(joined.key, f"Nothing uses a column of {joined.table.name}.", fix=fix)
        for name, key in table.unused():
            raise problem(key, f"Nothing uses the column {name}.", fix="remove it, or add it to the contract's columns")
