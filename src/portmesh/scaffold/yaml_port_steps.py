"""Makes the tables of a YAML port from its steps: which step stands in which CTE, and what each is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from portmesh.scaffold import yaml_port as language
from portmesh.scaffold import yaml_port_types as types
from portmesh.scaffold.yaml_port import SQL_INSTEAD, problem, unknown
from portmesh.scaffold.yaml_port_expressions import (
    AGGREGATES,
    WINDOWS,
    Setting,
    cast_to,
    names_in,
    read_condition,
    read_expression,
    read_order,
)
from portmesh.scaffold.yaml_port_printing import Call, Chain, ColumnTerm, Over, Term, Word
from portmesh.scaffold.yaml_port_tables import InputTable, Joined, SelectTable, StackTable, Table

_RESERVED = """
all alter analyze and anti any array as asc authorization between both by case cast check collate column constraint
create cross cube current_catalog current_date current_path current_role current_schema current_time current_timestamp
current_user deallocate default delete desc describe distinct do drop else end escape except execute exists extract
false fetch filter for foreign from full generated grant group grouping having in inner insert intersect interval into
is join lateral leading left like limit listagg localtime localtimestamp map minus natural normalize not null offset
on only or order outer overlaps pivot placing prepare primary qualify recursive references returning right rollup
select semi session_user set show skip some struct table tablesample then time to trailing trim true uescape union
unique unknown unnest unpivot user using values variadic when where window with
"""
RESERVED = frozenset(_RESERVED.split())
"""Words that at least one engine does not take as a name."""


class Builder:
    """Collects the tables of one port, in the order in which the SQL has them."""

    def __init__(self, inputs: Mapping[str, InputTable]) -> None:
        self.tables: list[Table] = list(inputs.values())
        self.by_name: dict[str, Table] = dict(inputs)

    def named(self, name: str, key: str) -> Table:
        if name not in self.by_name:
            raise unknown(key, "table", name, self.by_name, "name an input, or a table that is prepared above")
        self.by_name[name].is_read = True
        return self.by_name[name]

    def close(self, table: Table, name: str) -> Table:
        """Give a table its name, which must be its own."""
        taken = {each.name for each in self.tables}
        number = 2
        while (found := name if number == 2 and name not in taken else f"{name}_{number}") in taken:
            number += 1
        table.name = found
        self.tables.append(table)
        return table

    @property
    def selects(self) -> list[SelectTable]:
        return [table for table in self.tables if isinstance(table, SelectTable)]


class Pipeline:
    """The steps from one table to a result."""

    def __init__(self, builder: Builder, start: str, key: str) -> None:
        self.builder, self.root = builder, start
        self.aliases = {start}
        self.table = builder.named(start, key)
        self.given_name: str | None = None
        self.why: list[str] = []

    def run(self, steps: Sequence[language._Step], key: str) -> None:
        """Do the steps, one after another."""
        for number, step in enumerate(steps):
            here = f"{key}[{number}]"
            self._step(step, here)
            if step.name:
                _assert_free(step.name, f"{here}.name")
                if step.name in {*self.builder.by_name, *(t.name for t in self.builder.tables)}:
                    raise problem(f"{here}.name", f"There is another table {step.name}.", fix="choose another name")
                self.given_name = step.name
                self.aliases.add(step.name)

    def _step(self, step: language._Step, key: str) -> None:
        steps: dict[type[language._Step], Callable[[], None]] = {
            language.JoinStep: lambda: self._join(step, key),  # type: ignore[arg-type]
            language.StackStep: lambda: self._stack(step, key),  # type: ignore[arg-type]
            language.KeepStep: lambda: self._keep(step, key),  # type: ignore[arg-type]
            language.AddStep: lambda: self._add(step, key),  # type: ignore[arg-type]
            language.GroupStep: lambda: self._group(step, key),  # type: ignore[arg-type]
            language.WindowStep: lambda: self._window(step, key),  # type: ignore[arg-type]
            language.LatestStep: lambda: self._newest(step.latest, step.by, True, key, step.why),  # type: ignore[attr-defined]
            language.EarliestStep: lambda: self._newest(step.earliest, step.by, False, key, step.why),  # type: ignore[attr-defined]
        }
        steps[type(step)]()

    # The select that is being made

    def select(self) -> SelectTable:
        """The select that further steps go into; a new one if the last one has made its columns."""
        if isinstance(self.table, SelectTable) and self.table.is_open and self.table not in self.builder.tables:
            return self.table
        self.close()
        self.table = SelectTable(self.table, self.aliases)
        return self.table

    def close(self, name: str = "") -> Table:
        """End the select that is being made, if there is one, and name it."""
        table = self.table
        if table in self.builder.tables:
            return table
        table.why = " ".join(self.why)
        self.builder.close(table, name or self.given_name or self._default_name())
        self.given_name, self.why = None, []
        return table

    def _default_name(self) -> str:
        table = self.table
        if not isinstance(table, SelectTable):
            return "rows_stacked"
        if table.group is not None:
            return f"{self.root}_grouped"
        if table.joins:
            return f"{table.joins[-1].table.name}_joined"
        if any(isinstance(term, Over) for term in table.made.values()):
            return f"{self.root}_ranked" if table.is_ranking else f"{self.root}_windowed"
        if table.made:
            return f"{next(iter(table.made))}_added" if len(table.made) == 1 else "columns_added"
        return f"{self.root}_kept" if table.filters else "columns_chosen"

    def _setting(self, table: SelectTable, key: str) -> Setting:
        return Setting(key, lambda of, column: table.find(of, column, key))

    def _note(self, why: str, key: str) -> None:
        if any(mark in why for mark in ("{{", "{%", "{#", "}}", "%}", "#}")):
            raise problem(f"{key}.why", "A comment cannot contain {{, {% or {#.", why, fix="write it in other words")
        if why:
            self.why.append(" ".join(why.split()))

    # One method for each kind of step

    def _join(self, step: language.JoinStep, key: str) -> None:
        if isinstance(self.table, SelectTable) and self.table.filters:
            self.close()
            self.table = SelectTable(self.table, self.aliases)
        table, other = self.select(), self.builder.named(step.join, f"{key}.join")
        self._note(step.why, key)
        if other.name in {each.name for each in table.tables} | (table.aliases if not table.joins else set()):
            raise problem(
                f"{key}.join", f"{step.join} is already part of this step.", fix="prepare a table and join that"
            )
        on = step.key if isinstance(step.key, Mapping) else {name: name for name in step.key}
        if not on and frozenset() not in other.unique_keys():
            raise problem(f"{key}.key", f"It is not said by which key {step.join} is joined.",
                          allowed=", ".join(other.names() or []) or "a column", fix="add `key:`")  # fmt: skip
        joined = Joined(other, step.how, key, [self._pair(table, other, *pair, f"{key}.key") for pair in on.items()])
        _assert_matches(step, other, frozenset(on.values()), key)
        table.joins.append(joined)
        if step.when:
            asked = set(table.asked)
            joined.conditions.append(
                _earlier_first(read_condition(step.when, self._setting(table, f"{key}.when")), table)
            )
            table.asked = asked
        if step.matches == "many":
            table.kept_keys = ()

    def _pair(self, table: SelectTable, other: Table, left: str, right: str, key: str) -> tuple[ColumnTerm, ColumnTerm]:
        of, _, column = left.rpartition(".")
        here = replace(table.find(of, column, key), is_qualified=True)
        there = ColumnTerm(other.use(right, key), other.name, right, True)
        if types.common([here.kind, there.kind]) is None:
            raise problem(key, "These columns cannot be equal, because they are of different types.",
                          f"{here.flat()} ({here.kind}), {there.flat()} ({there.kind})",
                          fix="cast one of them with `add` first")  # fmt: skip
        return here, there

    def _stack(self, step: language.StackStep, key: str) -> None:
        first = self.close()
        parts = [first, *(self.builder.named(name, f"{key}.stack") for name in step.stack)]
        if len({part.name for part in parts}) < len(parts):
            raise problem(f"{key}.stack", "A table is stacked on itself.", ", ".join(part.name for part in parts))
        self.table = StackTable("", parts, "")
        self._note(step.why, key)

    def _keep(self, step: language.KeepStep, key: str) -> None:
        table = self.select()
        self._note(step.why, key)
        for number, text in enumerate(step.keep):
            table.filters.append(read_condition(text, self._setting(table, f"{key}.keep[{number}]")))

    def _add(self, step: language.AddStep, key: str) -> None:
        table = self.select()
        self._note(step.why, key)
        self._make(table, step.add, f"{key}.add", lambda k: self._setting(table, k))

    def _make(
        self, table: SelectTable, columns: Mapping[str, str], key: str, setting: Callable[[str], Setting]
    ) -> None:
        for name in columns:
            _assert_free(name, f"{key}.{name}")
        found = {name: read_expression(text, setting(f"{key}.{name}")) for name, text in columns.items()}
        table.made |= found
        table.where_made |= {name: f"{key}.{name}" for name in found}

    def _group(self, step: language.GroupStep, key: str) -> None:
        if not step.group and not step.add:
            raise problem(key, "This group has no columns.", fix="add a key to group, or columns to add")
        table = self.select()
        self._note(step.why, key)
        group = [table.find("", name, f"{key}.group") for name in step.group]
        for name in set(step.group) & set(step.add):
            raise problem(f"{key}.add.{name}", f"{name} is part of the key already.", fix="give it another name")
        self._make(
            table, step.add, f"{key}.add",
            lambda k: replace(self._setting(table, k), over_rows=AGGREGATES, grouped=tuple(step.group)),
        )  # fmt: skip
        table.group = group

    def _window(self, step: language.WindowStep, key: str) -> None:
        names = {*step.per, *(text.split()[0] for text in step.by if text.strip())}
        for name, text in step.window.items():
            names |= names_in(text, f"{key}.window.{name}")
        table = self._window_beside(names) or self.select()
        self._note(step.why, key)
        per = tuple(table.find("", name, f"{key}.per") for name in step.per)
        by = tuple(read_order(text, f"{key}.by", self._setting(table, f"{key}.by").resolve) for text in step.by)
        self._make(
            table, step.window, f"{key}.window",
            lambda k: replace(self._setting(table, k), over_rows=WINDOWS, per=per, by=by),
        )  # fmt: skip
        table.is_windowing = True

    def _window_beside(self, names: set[str]) -> SelectTable | None:
        """The select of the windows before this one, if this one does not need their columns."""
        table = self.table
        is_free = isinstance(table, SelectTable) and table not in self.builder.tables and table.is_windowing
        return table if isinstance(table, SelectTable) and is_free and not names & set(table.made) else None

    def _newest(self, per: Sequence[str], by: Sequence[str], is_descending: bool, key: str, why: str) -> None:
        table = self.select()
        self._note(why, key)
        rank = "recency_rank" if is_descending else "age_rank"
        names = {name for each in table.tables for name in each.names() or []}
        while rank in names:
            rank = f"own_{rank}"
        key_terms = tuple(table.find("", name, f"{key}.{'latest' if is_descending else 'earliest'}") for name in per)
        order = tuple((table.find("", name, f"{key}.by"), is_descending) for name in by)
        number = Call(types.WHOLE_NUMBER, "row_number", ())
        table.made[rank] = Over(number.kind, number, key_terms, order, "")
        table.where_made[rank] = key
        table.is_ranking = True
        given, self.given_name = self.given_name, None
        self.close()
        self.given_name = given
        self.table = SelectTable(table, self.aliases)
        self.table.filters.append(
            Chain("boolean", "=", (self.table.find("", rank, key), Word(types.WHOLE_NUMBER, "1")))
        )
        self.table.kept_keys = (*table.unique_keys(), frozenset(per))

    # The columns of the contract

    def finish(self, columns: Mapping[str, str], contract: Mapping[str, str]) -> None:
        """Make the columns of the contract: those that are computed, and all others by their name, each of its type."""
        for name in columns:
            if name not in contract:
                raise unknown(f"columns.{name}", "column in the contract", name, contract,
                              "add it to `columns` of the port, with data_type and description")  # fmt: skip
        table = self.table
        may_fold = isinstance(table, SelectTable) and table not in self.builder.tables
        if not (may_fold and isinstance(table, SelectTable) and (table.is_open or not columns)):
            self.close()
            table = self.table = SelectTable(self.table, self.aliases)
        assert isinstance(table, SelectTable)
        found: dict[str, Term] = {}
        for name, wanted in contract.items():
            key = f"columns.{name}"
            _assert_free(name, key)
            term = self._column(table, name, columns, key)
            found[name] = cast_to(term, wanted, key)
        unused = table.unused()
        table.made |= found
        table.final = list(contract)
        table.used |= dict.fromkeys(contract, "")
        table.where_made |= dict(unused)
        self.close()

    def _column(self, table: SelectTable, name: str, columns: Mapping[str, str], key: str) -> Term:
        if name in columns:
            return read_expression(columns[name], self._setting(table, key))
        if name in table.made:
            table.use(name, key)
            return table.made[name]
        if not table.has(name):
            names = [n for n in table.names() or [] if n not in columns]
            raise unknown(key, "column", name, names, f"say how it is made, under columns, {SQL_INSTEAD}")
        if table.group is not None:
            table.use(name, key)
            return next(term for term in table.group if term.column == name)
        return table.find("", name, key)


def _assert_free(name: str, key: str) -> None:
    if name in RESERVED:
        raise problem(key, f"{name} is a reserved word of SQL.", name, fix=f"choose another name, {SQL_INSTEAD}")


def _assert_matches(step: language.JoinStep, other: Table, on: frozenset[str], key: str) -> None:
    """Refuses a join that may repeat rows, unless the step says so."""
    if step.matches == "many" or any(unique <= on for unique in other.unique_keys()):
        return
    keys = "; ".join(", ".join(sorted(unique)) for unique in other.unique_keys() if unique) or "none"
    what = ", ".join(sorted(on)) or "nothing"
    raise problem(
        f"{key}.key", f"Several rows of {other.name} may have the same {what}, so the join would repeat rows.", what,
        f"a key of {other.name} that a unique check covers: {keys}",
        f"join by a whole key, make one row per key first (group, latest), add a unique check to {other.name}, "
        "or say that you want it: matches: many",
    )  # fmt: skip


def _earlier_first(term: Term, table: SelectTable) -> Term:
    """Comparisons with the column of the earlier table on the left, as sqlfluff wants them."""
    if isinstance(term, Chain) and term.operator == "and":
        return replace(term, operands=tuple(_earlier_first(each, table) for each in term.operands))
    turned = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
    if not isinstance(term, Chain) or term.operator not in turned:
        return term
    left, right = term.operands
    if isinstance(left, ColumnTerm) and isinstance(right, ColumnTerm):
        names = [each.name for each in table.tables]
        if names.index(left.table) > names.index(right.table):
            return replace(term, operator=turned[term.operator], operands=(right, left))
    return term
