"""Reads a query that `lineage.query.qualified` has resolved into a view (`terms.py`).

What is done to SQL here keeps its rows, with nulls, duplicates and NaN, on all three engines; tests/test_meaning.py
executes each of it. What is not known to be safe stays as it is written: then only the same SQL is equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from portmesh.lineage.meaning.conditions import (
    add_filter,
    conjuncts,
    exists,
    joined,
    negated,
)
from portmesh.lineage.meaning.expressions import (
    UNNESTING,
    alias_columns,
    are_of_like_types,
    counts_rows,
    decides_rows,
    has_aggregate,
    has_window,
    is_aggregate,
    is_column_of,
    is_uncast,
    is_volatile,
    is_whole_row,
    one_to_one,
    spelled_out,
    within_select,
)
from portmesh.lineage.meaning.terms import (
    Block,
    Groups,
    Item,
    Labels,
    Leaf,
    Limited,
    Listed,
    Listing,
    Op,
    Ref,
    Relation,
    Sealed,
    Sub,
    Term,
    Together,
    View,
    digest,
    items_of,
)

Columns = Callable[[str], Term | None]
OfTable = Callable[[str], "Relation | View"]
"""What a table is, by the id of its node: a view over others, which must be new each time, or a leaf."""

# Everything that a select has and that is understood.
UNDERSTOOD = {"with_", "kind", "expressions", "hint", "distinct", "from_", "laterals", "joins", "where", "group"}
UNDERSTOOD |= {"having", "qualify", "order", "limit", "offset"}
UNORDERED = (exp.Add, exp.Mul, exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
TURNED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.GTE: exp.LTE}
SELECTS_OF_A_QUERY = 1000


class LeftAsWrittenError(Exception):
    """A query has something that is not understood, so it is compared as it is written."""


class UnknownColumnError(Exception):
    """A query reads a column and it cannot be known from what; says which."""


def constant(value: object) -> Op:
    return Op(f"'{value!r}")


@dataclass
class Ctes:
    """The CTEs that a query sees."""

    queries: Mapping[str, tuple[exp.Expr, Ctes, tuple[str, ...]]] = field(default_factory=dict)


class Names:
    """What the columns of a select mean. `around` is the select around a subquery."""

    def __init__(self, reader: Reader, ctes: Ctes, around: Names | None) -> None:
        self.reader, self.ctes, self.around = reader, ctes, around
        self.tables: dict[str, Columns] = {}
        self.block = Block()

    def column(self, table: str, name: str) -> Term | None:
        if table in self.tables:
            return self.tables[table](name)
        return self.around.column(table, name) if self.around else None

    def all_tables(self) -> Mapping[str, Columns]:
        """What the select itself reads, by alias."""
        return self.tables

    def term(self, expression: exp.Expr) -> Term:
        return self.reader.term(expression, self)


class OverGroups(Names):
    """Columns and aggregates of groups, in terms of keys and aggregates."""

    def __init__(self, inner: Names, item: Item, groups: Groups) -> None:
        super().__init__(inner.reader, inner.ctes, inner.around)
        self.inner, self.item, self.groups = inner, item, groups
        self.known = {digest(key, Labels(), False): number for number, key in enumerate(groups.found[: groups.keys])}
        self.block = Block([item])

    def all_tables(self) -> Mapping[str, Columns]:
        return self.inner.all_tables()

    def key(self, term: Term) -> Term | None:
        number = self.known.get(digest(term, Labels(), False))
        return None if number is None else Ref(self.item, number)

    def column(self, table: str, name: str) -> Term | None:
        found = self.inner.column(table, name)
        if found is None or table not in self.inner.tables:
            return found
        return self.key(found) or Ref(self.item, self.groups.add(Op("bare", (found,))))

    def term(self, expression: exp.Expr) -> Term:
        if is_aggregate(expression):
            return Ref(self.item, self.groups.add(self.inner.term(expression)))
        if self.known and not isinstance(expression, exp.Query) and not has_aggregate(expression):
            found = self.key(self.inner.term(expression))
            if found is not None:
                return found
        return self.reader.term(expression, self)


class OverWindows(Names):
    """Windows over the rows of a block, and everything else in terms of the block's columns."""

    def __init__(self, inner: Names, item: Item, sealed: Sealed) -> None:
        super().__init__(inner.reader, inner.ctes, inner.around)
        self.inner, self.item, self.sealed = inner, item, sealed
        self.block = Block([item])

    def all_tables(self) -> Mapping[str, Columns]:
        return self.inner.all_tables()

    def column(self, table: str, name: str) -> Term | None:
        found = self.inner.column(table, name)
        return None if found is None else self.lifted(found)

    def lifted(self, term: Term) -> Term:
        if isinstance(term, Op):
            of = None if term.of is None else self.lifted(term.of)
            return Op(term.name, tuple(map(self.lifted, term.args)), term.order, term.uncast, of)
        if isinstance(term, Sub):
            inside = items_of(term) & set(self.inner.block.items)
            return Ref(self.item, self.sealed.add(term)) if inside else term
        return Ref(self.item, self.sealed.add(term)) if term.item in self.inner.block.items else term

    def term(self, expression: exp.Expr) -> Term:
        if isinstance(expression, exp.Window):
            return Ref(self.item, self.sealed.add(self.inner.term(expression)))
        if not has_window(expression):
            return self.lifted(self.inner.term(expression))
        return self.reader.term(expression, self)


class Reader:
    """Reads queries into views. `of_table` says what a table is; `orders_nan` whether NaN is the largest number."""

    def __init__(self, of_table: OfTable, dialect: str) -> None:
        self.of_table, self.dialect = of_table, dialect
        self.orders_nan = dialect != "athena"
        self.selects = 0

    def read(self, query: exp.Expr) -> View:
        """The view of a whole query.

        Raises UnknownColumnError, and LeftAsWrittenError if it reads whole rows, of which nobody lists the columns.
        """
        self.selects = 0
        if row := next((each for each in query.walk() if is_whole_row(each)), None):
            raise LeftAsWrittenError(f"it reads whole rows: {row.sql(self.dialect)}")
        if any(is_volatile(each) for each in query.walk()):
            return self._as_written(query, Ctes(), None)
        try:
            return self.view(query, Ctes(), None)
        except UnknownColumnError:
            return self._as_written(query, Ctes(), None)

    # Queries

    def view(self, query: exp.Expr, ctes: Ctes, around: Names | None) -> View:
        """The view of a query, new each time: its items are nobody else's."""
        self.selects += 1
        try:
            return self._understood(query, ctes, around)
        except LeftAsWrittenError:
            return self._as_written(query, ctes, around)

    def _understood(self, query: exp.Expr, ctes: Ctes, around: Names | None) -> View:
        if self.selects <= SELECTS_OF_A_QUERY:
            if isinstance(query, exp.Subquery):
                self._only(query, {"this", "alias", "with_"})
                return self.view(query.this, self._with(query, ctes), around)
            if isinstance(query, exp.Select):
                return self._select(query, self._with(query, ctes), around)
            if isinstance(query, exp.SetOperation):
                return self._together(query, self._with(query, ctes), around)
        raise LeftAsWrittenError

    def _only(self, expression: exp.Expr, understood: set[str]) -> None:
        if {key for key, value in expression.args.items() if value not in (None, False, [])} - understood:
            raise LeftAsWrittenError

    def _with(self, query: exp.Expr, ctes: Ctes) -> Ctes:
        with_ = query.args.get("with_")
        if not with_:
            return ctes
        self._only(with_, {"expressions"})
        for cte in with_.expressions:
            self._only(cte, {"this", "alias", "materialized"})
            columns = tuple(column.name.lower() for column in cte.args["alias"].args.get("columns") or ())
            ctes = Ctes({**ctes.queries, cte.alias.lower(): (cte.this, ctes, columns)})
        return ctes

    def _select(self, select: exp.Select, ctes: Ctes, around: Names | None) -> View:
        self._only(select, UNDERSTOOD)
        if select.args.get("kind"):
            raise LeftAsWrittenError
        names = self._joined(select, ctes, around)
        if where := select.args.get("where"):
            for condition in conjuncts(names.term(where.this)):
                add_filter(names.block, condition)
        projections = {each.alias_or_name.lower(): each for each in select.expressions}
        if len(projections) < len(select.expressions) or any(each.is_star for each in select.expressions):
            raise LeftAsWrittenError
        if any(isinstance(part, UNNESTING) for each in select.expressions for part in within_select(each)):
            raise LeftAsWrittenError
        having, qualify = select.args.get("having"), select.args.get("qualify")
        order = list(select.args["order"].expressions) if select.args.get("order") else []
        computed = [*projections.values(), *(each.this for each in (having, qualify) if each), *order]
        if select.args.get("group") or having or any(map(has_aggregate, computed)):
            names = self._grouped(select, names)
        if having:
            for condition in conjuncts(names.term(having.this)):
                add_filter(names.block, condition)
        if any(map(has_window, computed)):
            sealed = Sealed(names.block)
            names = OverWindows(names, Item(sealed), sealed)
        if qualify:
            names.block.filters.extend(conjuncts(names.term(qualify.this)))
        view = View(names.block, {name: names.term(each) for name, each in projections.items()})
        if self.dialect == "duckdb" and any(_means_two_things(each, projections, names) for each in order):
            raise LeftAsWrittenError
        terms = [self._order_term(spelled_out(each, projections), view, names) for each in order]
        return self._ordered(select, view, names, terms)

    def _order_term(self, ordered: exp.Expr, view: View, names: Names) -> Term:
        self._only(ordered, {"this", "desc", "nulls_first"})
        this = ordered.this
        if isinstance(this, exp.Column) and not this.table and this.name.lower() in view.columns:
            key = view.columns[this.name.lower()]
        elif isinstance(this, exp.Literal):
            raise LeftAsWrittenError
        else:
            key = names.term(this)
        return Op(f"order {bool(ordered.args.get('desc'))} {bool(ordered.args.get('nulls_first'))}", (key,))

    def _ordered(self, query: exp.Expr, view: View, names: Names, order: list[Term]) -> View:
        """The view with its distinct, order and limit."""
        if distinct := query.args.get("distinct") if isinstance(query, exp.Select) else None:
            self._only(distinct, {"expressions"})
            if distinct.expressions:
                raise LeftAsWrittenError
            view, mapped = self.distinct(view)
            keys = [mapped.get(digest(each.args[0], Labels(), False)) for each in order if isinstance(each, Op)]
            if None in keys:
                raise LeftAsWrittenError
            order = [
                Op(each.name, (key,)) for each, key in zip(order, keys, strict=True) if isinstance(each, Op) and key
            ]
        limits = [(key, query.args[key]) for key in ("limit", "offset") if query.args.get(key)]
        if not limits:
            view.order = tuple(order)
            return view
        listing = Limited(view.block, order=tuple(order), limit=tuple(Op(k, (names.term(e),)) for k, e in limits))
        return _over(listing, view.columns)

    def distinct(self, view: View) -> tuple[View, dict[str, Term]]:
        """The view without duplicates: it is grouped by its columns."""
        groups = Groups(view.block)
        numbers = {name: groups.add(term) for name, term in view.columns.items()}
        groups.keys = len(groups.found)
        item = Item(groups)
        known = {digest(term, Labels(), False): Ref(item, numbers[name]) for name, term in view.columns.items()}
        return View(Block([item]), {name: Ref(item, number) for name, number in numbers.items()}), dict(known)

    def _grouped(self, select: exp.Select, names: Names) -> Names:
        groups = Groups(names.block)
        group = select.args.get("group") or exp.Group()
        self._only(group, {"expressions", "rollup", "cube", "grouping_sets"})
        sets = []
        for each in group.expressions:
            if isinstance(each, (exp.Rollup, exp.Cube, exp.GroupingSets)):
                sets.append(each)
            elif isinstance(each, exp.Literal):
                raise LeftAsWrittenError
            else:
                groups.add(names.term(each))
        sets += [each for key in ("rollup", "cube", "grouping_sets") for each in group.args.get(key) or ()]
        for each in sets:
            for column in each.find_all(exp.Column):
                groups.add(names.term(column))
        groups.keys = len(groups.found)
        groups.sets = Op("sets", tuple(names.term(each) for each in sets)) if sets else None
        return OverGroups(names, Item(groups), groups)

    def _together(self, query: exp.SetOperation, ctes: Ctes, around: Names | None) -> View:
        self._only(query, {"with_", "this", "expression", "distinct", "order", "limit", "offset"})
        arms = [self.view(each, ctes, around) for each in (query.left, query.right)]
        names = list(arms[0].columns)
        if len(arms[1].columns) != len(names):
            raise LeftAsWrittenError
        kind = query.key + ("" if query.args.get("distinct") or isinstance(query, exp.Union) else " all")
        item = Item(Together(kind, [each for arm in arms for each in self._arms(arm, kind, query)]))
        view = View(Block([item]), {name: Ref(item, number) for number, name in enumerate(names)})
        if isinstance(query, exp.Union) and query.args.get("distinct"):
            view, _ = self.distinct(view)
        over = Names(self, ctes, around)
        order = list(query.args["order"].expressions) if query.args.get("order") else []
        if any(not isinstance(each.this, exp.Column) or each.this.table for each in order):
            raise LeftAsWrittenError
        return self._ordered(query, view, over, [self._order_term(each, view, over) for each in order])

    def _arms(self, arm: View, kind: str, query: exp.SetOperation) -> list[View]:
        """The arms of an arm that is itself a union, unless a value could be cast twice on its way."""
        item = arm.block.items[0] if arm.block.trivial() and not arm.order else None
        if kind != "union" or not item or not isinstance(item.relation, Together) or item.relation.kind != "union":
            return [arm]
        straight = all(isinstance(t, Ref) and t.item is item and t.key == n for n, t in enumerate(arm.columns.values()))
        return item.relation.arms if straight and are_of_like_types(query) else [arm]

    def _as_written(self, query: exp.Expr, ctes: Ctes, around: Names | None) -> View:
        """A query that only equals itself."""
        if not isinstance(query, exp.Query) or any(isinstance(each, exp.Star) for each in query.selects):
            raise UnknownColumnError("*")
        names = AsWritten(self, ctes, around, query)
        item = Item(Listed(Op("as written", (names.written(query),))))
        return View(Block([item]), {name.lower(): Ref(item, name.lower()) for name in query.named_selects})

    # Tables and joins

    def _joined(self, select: exp.Select, ctes: Ctes, around: Names | None) -> Names:
        names = Names(self, ctes, around)
        if from_ := select.args.get("from_"):
            self._only(from_, {"this"})
            self._add(names, *self._source(from_.this, names))
            for join in from_.this.args.get("joins") or ():
                self._join(names, join)
        for join in select.args.get("joins") or ():
            self._join(names, join)
        for lateral in select.args.get("laterals") or ():
            self._add(names, *self._source(lateral, names))
        return names

    def _source(self, source: exp.Expr, names: Names) -> tuple[str, View | Item]:
        """The alias of a table, subquery or table function, and its view or item."""
        alias = source.alias_or_name.lower()
        columns = tuple(c.name.lower() for c in alias_columns(source))
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            self._only(source, {"this", "alias", "joins"})
            known = names.ctes.queries.get(source.name.lower())
            if known:
                view = self.view(known[0], known[1], None)
                return alias, _renamed(view, columns or known[2])
            found = self.of_table(source.name)
            if columns:
                raise LeftAsWrittenError
            return alias, found if isinstance(found, View) else Item(found)
        if isinstance(source, exp.Subquery):
            self._only(source, {"this", "alias", "with_", "joins"})
            inner = self.view(source.this, self._with(source, names.ctes), names.around)
            return alias, _renamed(inner, columns)
        if isinstance(source, exp.Lateral) and isinstance(source.this, exp.Subquery):
            self._only(source, {"this", "alias", "view", "outer"})
            return alias, _renamed(self.view(source.this.this, names.ctes, names), columns)
        written = source.copy()
        written.set("alias", None)
        written.set("joins", None)
        term = Op("listed", (names.term(written), constant(columns)))
        return alias, Item(Listed(term))

    def _add(self, names: Names, alias: str, source: View | Item) -> None:
        """Join a source with all others."""
        if isinstance(source, Item):
            names.block.items.append(source)
            names.tables[alias] = _Plain(source)
            return
        block = source.block
        if block.tag or any(item.on is not None and item is block.items[0] for item in block.items):
            raise LeftAsWrittenError
        names.block.items += block.items
        names.block.orders += [*block.orders, *source.order]
        for condition in block.filters:
            names.block.filters.append(condition)
        names.tables[alias] = source.columns.get

    def _join(self, names: Names, join: exp.Join) -> None:
        self._only(join, {"this", "side", "kind", "on", "hint"})
        side, kind = join.side.upper(), join.kind.upper()
        alias, source = self._source(join.this, names)
        inner = join.this.args.get("joins") if isinstance(join.this, (exp.Table, exp.Subquery)) else None
        if inner or kind not in ("", "INNER", "CROSS", "OUTER", "SEMI", "ANTI"):
            raise LeftAsWrittenError
        on = join.args.get("on")
        if kind in ("SEMI", "ANTI"):
            self._semi_join(names, alias, source, on, kind)
        elif side == "":
            if kind == "OUTER":
                raise LeftAsWrittenError
            self._add(names, alias, source)
            for condition in conjuncts(names.term(on)) if on else ():
                add_filter(names.block, condition)
        elif side == "LEFT":
            item, filters = self._attached(names, alias, source)
            names.block.items.append(item)
            item.on = (*(conjuncts(names.term(on)) if on else ()), *filters)
        elif side == "RIGHT":
            left = self._closed(names)
            self._add(names, alias, source)
            left.on = tuple(conjuncts(names.term(on))) if on else ()
            names.block.items.append(left)
        elif side == "FULL":
            left = self._closed(names)
            right = self._closed_alone(names, alias, source)
            names.block = Block([left, right], conjuncts(names.term(on)) if on else [], tag="full")
            self._close(names)
        else:
            raise LeftAsWrittenError

    def _semi_join(self, names: Names, alias: str, source: View | Item, on: exp.Expr | None, kind: str) -> None:
        inner = Names(self, names.ctes, names)
        self._add(inner, alias, source)
        inner.block.filters += conjuncts(inner.term(on)) if on else []
        found = exists(View(inner.block, {}))
        names.block.filters.append(found if kind == "SEMI" else negated(found, self.orders_nan))

    def _attached(self, names: Names, alias: str, source: View | Item) -> tuple[Item, list[Term]]:
        """A source as one item for the right side of a left join, and the filters on it."""
        if isinstance(source, Item):
            names.tables[alias] = _Plain(source)
            return source, []
        block = source.block
        if len(block.items) == 1 and not block.tag and block.items[0].on is None:
            (item,) = block.items
            names.block.orders += [*block.orders, *source.order]
            columns = {name: _guarded(term, item) for name, term in source.columns.items()}
            names.tables[alias] = columns.get
            return item, block.filters
        block.orders += source.order
        sealed = Sealed(block)
        item = Item(sealed)
        names.tables[alias] = {name: Ref(item, sealed.add(term)) for name, term in source.columns.items()}.get
        return item, []

    def _closed_alone(self, names: Names, alias: str, source: View | Item) -> Item:
        alone = Names(self, names.ctes, names.around)
        self._add(alone, alias, source)
        item = self._closed(alone)
        names.tables |= alone.tables
        return item

    def _closed(self, names: Names) -> Item:
        """All that was joined so far as one item, which is taken from the block."""
        block = names.block
        if block.trivial() and all(isinstance(each, _Plain) for each in names.tables.values()):
            names.block = Block()
            return block.items[0]
        item = self._close(names)
        names.block = Block()
        return item

    def _close(self, names: Names) -> Item:
        sealed = Sealed(names.block)
        item = Item(sealed)
        for alias, columns in names.tables.items():
            names.tables[alias] = _through(columns, sealed, item)
        names.block = Block([item])
        return item

    # Expressions

    def term(self, expression: exp.Expr, names: Names) -> Term:
        """The term of an expression; what is in it, `names` reads."""
        e = expression
        if isinstance(e, (exp.Paren, exp.Alias)):
            return names.term(e.this)
        if isinstance(e, exp.Column):
            return self._column(e, names)
        if isinstance(e, exp.Subquery):
            return Op("scalar", (Sub(self.view(e, names.ctes, names)),))
        if isinstance(e, exp.Query):
            return Sub(self.view(e, names.ctes, names), ordered=isinstance(e.parent, exp.Array))
        if isinstance(e, exp.Exists):
            return exists(self._rows_of(e.this, names))
        if isinstance(e, (exp.And, exp.Or)):
            return joined(e.key, [names.term(each) for each in e.flatten()])
        if isinstance(e, exp.Not):
            return negated(names.term(e.this), self.orders_nan)
        if isinstance(e, exp.Between) and not e.args.get("symmetric"):
            this, low, high = (names.term(e.args[key]) for key in ("this", "low", "high"))
            return joined("and", [Op("LTE", (low, this)), Op("LTE", (this, high))])
        if isinstance(e, exp.In):
            return self._in(e, names)
        if type(e) in (exp.Add, exp.Sub) and (known := _computed(names.term(e.this), names.term(e.expression), e)):
            return known
        if type(e) in UNORDERED:
            terms = {"this": names.term(e.this), "expression": names.term(e.expression)}
            uncast = isinstance(e, (exp.EQ, exp.NEQ)) and is_uncast(e)
            return Op(type(e).__name__, tuple(terms.values()), "bag", uncast, terms.get(one_to_one(e)))
        if type(e) in TURNED:
            return Op(TURNED[type(e)].__name__, (names.term(e.expression), names.term(e.this)))
        if type(e) in TURNED.values():
            return Op(type(e).__name__, (names.term(e.this), names.term(e.expression)))
        if isinstance(e, exp.Literal):
            return Op(f"text {e.this!r}" if e.is_string else f"number {e.this}")
        if isinstance(e, exp.DataType):
            return Op(f"type {e.sql(self.dialect).lower()}")
        if isinstance(e, exp.Case) or (isinstance(e, exp.If) and not isinstance(e.parent, exp.Case)):
            return self._case(e, names)
        if isinstance(e, exp.Count) and counts_rows(e):
            return Op("Count", (Op("*"),))
        if isinstance(e, exp.Identifier):
            return Op(f"name {e.name}")
        if isinstance(e, exp.Star):
            raise LeftAsWrittenError
        found = self.other(e, names.term)
        part = one_to_one(e)
        return replace(found, of=names.term(e.args[part])) if part else found

    def _rows_of(self, query: exp.Expr, names: Names) -> View:
        """A query of which only the rows matter: what a plain select selects does not."""
        if isinstance(query, exp.Select) and not decides_rows(query):
            query = query.copy()
            query.set("expressions", [exp.alias_(exp.Literal.number(1), "one")])
        return self.view(query, names.ctes, names)

    def other(self, e: exp.Expr, term: Callable[[exp.Expr], Term]) -> Op:
        """Any expression: its kind and all that it has."""
        found = []
        for key, value in sorted(e.args.items()):
            if value in (None, False, []) or (key == "big_int" and isinstance(e, exp.Count)):
                continue
            values = value if isinstance(value, list) else [value]
            terms = tuple(term(each) if isinstance(each, exp.Expr) else constant(each) for each in values)
            found.append(Op("=" + key, terms, "set" if key == "partition_by" else "list"))
        return Op(type(e).__name__, tuple(found))

    def _column(self, column: exp.Column, names: Names) -> Term:
        found = names.column(column.table.lower(), column.name.lower())
        if found is None or column.args.get("db"):
            raise UnknownColumnError(column.sql(self.dialect))
        return found

    def _in(self, e: exp.In, names: Names) -> Term:
        self._only(e, {"this", "expressions", "query"})
        this = names.term(e.this)
        if query := e.args.get("query"):
            return Op("In", (this, Sub(self.view(query, names.ctes, names))))
        values = tuple(map(names.term, e.expressions))
        if len({value.name.split()[0] if isinstance(value, Op) else "" for value in values} & {"text", "number"}) == 1:
            literals = {value.name: value for value in values if isinstance(value, Op)}
            return joined("or", [Op("EQ", (this, value), "bag") for value in literals.values()])
        return Op("In", (this, Op("values", values, "set")))

    def _case(self, e: exp.Case | exp.If, names: Names) -> Term:
        ifs = e.args["ifs"] if isinstance(e, exp.Case) else [e]
        otherwise = e.args.get("default") if isinstance(e, exp.Case) else e.args.get("false")
        whens = [(names.term(each.this), names.term(each.args["true"])) for each in ifs]
        if isinstance(e, exp.Case) and e.this:
            this = names.term(e.this)
            whens = [(Op("EQ", (this, value), "bag"), result) for value, result in whens]
        last = names.term(otherwise) if otherwise else Op("Null")
        return Op("case", (*(Op("when", when) for when in whens), last))


class AsWritten(Names):
    """The columns of a query that is left as it is written: by their names, and by what they are outside of it."""

    def __init__(self, reader: Reader, ctes: Ctes, around: Names | None, query: exp.Expr) -> None:
        super().__init__(reader, ctes, around)
        self.own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}

    def written(self, e: exp.Expr) -> Term:
        if isinstance(e, exp.Column):
            outside = self.around.column(e.table.lower(), e.name.lower()) if self.around else None
            return Op(f"column {e.sql(self.reader.dialect).lower()}", (outside,) if outside else ())
        if isinstance(e, exp.Table) and isinstance(e.this, exp.Identifier) and e.name.lower() not in self.own:
            return Op("table", (self._all_of(e), self.reader.other(e, self.written)))
        if isinstance(e, exp.Star) and not isinstance(e.parent, exp.Count):
            raise UnknownColumnError("*")
        if isinstance(e, exp.Identifier):
            return Op(f"name {e.name}")
        if isinstance(e, exp.Literal):
            return Op(f"literal {e.is_string} {e.this!r}")
        return self.reader.other(e, self.written)

    def _all_of(self, table: exp.Table) -> Term:
        known = self.ctes.queries.get(table.name.lower())
        if known:
            return Sub(self.reader.view(known[0], known[1], None))
        found = self.reader.of_table(table.name)
        if isinstance(found, View):
            return Sub(found)
        item = Item(found)
        names = sorted({column.name.lower() for column in table.root().find_all(exp.Column)})
        return Sub(View(Block([item]), {name: Ref(item, name) for name in names}))


def _means_two_things(ordered: exp.Expr, projections: Mapping[str, exp.Expr], names: Names) -> bool:
    """Whether an expression in an order has a name of the output that may be another column of a table, too."""
    if isinstance(ordered.this, exp.Column):
        return False
    found = {each.name.lower() for each in ordered.find_all(exp.Column) if not each.table} & set(projections)
    return any(
        _may_have(columns, name)
        for name in found
        for table, columns in names.all_tables().items()
        if not is_column_of(projections[name].unalias(), table, name)
    )


def _may_have(columns: Columns, name: str) -> bool:
    term = columns(name)
    leaf = term.item.relation if isinstance(term, Ref) else None
    if isinstance(leaf, Leaf) and leaf.columns is not None:
        return name in leaf.columns
    return term is not None


def _renamed(view: View, names: tuple[str, ...]) -> View:
    if names:
        if len(names) > len(view.columns):
            raise LeftAsWrittenError
        rest = list(view.columns)[len(names) :]
        view.columns = dict(zip([*names, *rest], view.columns.values(), strict=True))
    return view


class _Plain:
    """The columns of an item by their names."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __call__(self, name: str) -> Term:
        return Ref(self.item, name)


def _through(columns: Columns, sealed: Sealed, item: Item) -> Columns:
    def column(name: str) -> Term | None:
        found = columns(name)
        return None if found is None else Ref(item, sealed.add(found))

    return column


def _guarded(term: Term, item: Item) -> Term:
    """A column of the right side of a left join: null where no row fits."""
    return term if isinstance(term, Ref) and term.item is item else Op("if joined", (Ref(item, None), term))


def _over(listing: Listing, columns: Mapping[str, Term]) -> View:
    item = Item(listing)
    return View(Block([item]), {name: Ref(item, listing.add(term)) for name, term in columns.items()})


def _computed(left: Term, right: Term, e: exp.Expr) -> Op | None:
    """The sum or difference of two small whole numbers."""
    numbers = [term.name.removeprefix("number ") for term in (left, right) if isinstance(term, Op)]
    if len(numbers) < 2 or not all(number.isdecimal() and len(number) < 9 for number in numbers):
        return None
    first, second = map(int, numbers)
    found = first + second if isinstance(e, exp.Add) else first - second
    return Op(f"number {found}") if found >= 0 else None
