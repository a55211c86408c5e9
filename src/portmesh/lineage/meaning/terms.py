"""Terms: what an expression computes, and what a query makes of its inputs, without the names that its SQL uses for it.

A query is a `View`: columns over a `Block`. A block is a bag of items, each a relation, that are all joined, and the
filters on the result. A left join is an item with conditions (`on`); its rows are added to each row of the others. In
this form the order of inner joins, of left joins and of conditions says nothing, so it has none. What cannot be such a
block (groups, limits, windows, unions, full joins) is a relation of its own, and is one item of the block around it.

A digest describes a relation or a term completely: equal digests mean equal rows. The other direction does not hold.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeAlias

BOOLEAN = frozenset(["EQ", "NEQ", "LT", "LTE", "and", "or", "In", "Exists", "Is", "Like", "ILike", "Not"])
"""The operations that are true, false or null."""

_numbers = itertools.count()


def hashed(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, eq=False)
class Op:
    """An operation. Its arguments have no order if it is a `bag`, and count once if it is a `set`.

    The rest is no part of its digest: `uncast` says of a comparison that both sides are compared as they are. `of` is
    an argument that has another value if and only if the operation has: `x` of `x || '-A'`.
    """

    name: str
    args: tuple[Term, ...] = ()
    order: str = "list"
    uncast: bool = False
    of: Term | None = None


@dataclass(frozen=True, eq=False)
class Ref:
    """A column of an item. Without a key it is whether the item, which is joined by `on`, has a row there."""

    item: Item
    key: object


@dataclass(frozen=True, eq=False)
class Sub:
    """A query in an expression. Of `array(select …)` the order of its rows matters, too."""

    view: View
    columns: bool = True
    ordered: bool = False


Term: TypeAlias = Op | Ref | Sub


@dataclass(eq=False)
class Item:
    """A relation of a block. With `on`, the rows that fit are added, and nulls if there are none."""

    relation: Relation
    on: tuple[Term, ...] | None = None
    number: int = field(default_factory=lambda: next(_numbers))


class Labels(dict[Item, str]):
    """What items are called in a digest. While a query is read they are called by a number that means nothing."""

    def __missing__(self, item: Item) -> str:
        return f"#{item.number}"


class Relation:
    """Rows, and columns by a key. Both get the labels of the items around it, which it may read (lateral)."""

    def rows(self, labels: Labels, ordered: bool) -> str:
        """A digest of the rows: which there are and how often; also in which order, if `ordered`."""
        raise NotImplementedError

    def column(self, key: object, labels: Labels, ordered: bool) -> str:
        """A digest of a column, which means something only with that of the rows."""
        raise NotImplementedError

    def apart(self, key: object, labels: Labels, ordered: bool) -> str:
        """A digest of which rows have the same value in a column, and which another, whatever the values are."""
        return self.column(key, labels, ordered)

    def is_one_row(self) -> bool:
        """Whether it always has exactly one row."""
        return False

    def unique(self) -> Iterable[frozenset[object]]:
        """Columns of which no two rows have the same values, nulls included."""
        return ()

    def terms(self) -> Iterable[Term]:
        """The terms in it, to find which items it needs."""
        return ()

    def inside(self) -> Iterable[Item]:
        """The items in it, which its terms may use."""
        return ()


@dataclass(eq=False)
class Leaf(Relation):
    """A relation of which no SQL is known, or need not be. Its versions differ if its content may have changed.

    `renamed` are columns whose values are others, but where they were the same they still are, and only there.
    `columns` are all that it has, if that is known.
    """

    name: str
    rows_version: str = ""
    order_version: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""
    renamed: frozenset[str] = frozenset()
    keys: Callable[[], Iterable[frozenset[str]]] = tuple
    columns: frozenset[str] | None = None

    def rows(self, labels: Labels, ordered: bool) -> str:  # noqa: ARG002
        return hashed("leaf", self.name, self.rows_version, self.order_version if ordered else "")

    def column(self, key: object, labels: Labels, ordered: bool) -> str:  # noqa: ARG002
        return hashed("column", self.name, key, self.versions.get(str(key), self.otherwise))

    def apart(self, key: object, labels: Labels, ordered: bool) -> str:
        return hashed("column", self.name, key, "") if key in self.renamed else self.column(key, labels, ordered)

    def unique(self) -> Iterable[frozenset[object]]:
        return map(frozenset[object], self.keys())


@dataclass(eq=False)
class Listed(Relation):
    """A relation that an expression makes: values, unnest, a table function, a query that is left as it is written.

    Such a query may take the first of its rows, so their order always counts.
    """

    term: Term

    def rows(self, labels: Labels, ordered: bool) -> str:  # noqa: ARG002
        return digest(self.term, labels, True)

    def column(self, key: object, labels: Labels, ordered: bool) -> str:
        return hashed("listed", self.rows(labels, ordered), key)

    def terms(self) -> Iterable[Term]:
        return (self.term,)


@dataclass(eq=False)
class Block:
    items: list[Item] = field(default_factory=list)
    filters: list[Term] = field(default_factory=list)
    orders: list[Term] = field(default_factory=list)
    tag: str = ""

    def trivial(self) -> bool:
        """It is its only item."""
        return len(self.items) == 1 and not self.filters and not self.tag and self.items[0].on is None

    def terms(self) -> Iterable[Term]:
        yield from self.filters
        yield from self.orders
        for item in self.items:
            yield from item.on or ()
            yield from item.relation.terms()

    def inside(self) -> Iterable[Item]:
        for item in self.items:
            yield item
            yield from item.relation.inside()


def owned(terms: Iterable[Term]) -> Iterable[Item]:
    """The items of the queries in terms."""
    for term in terms:
        for each in parts(term):
            if isinstance(each, Sub):
                yield from each.view.inside()


@dataclass(frozen=True)
class Frame:
    """A block's rows, and the labels of its items that were used for them."""

    rows: str
    labels: Labels
    memo: dict[tuple[int, bool], str] = field(default_factory=dict)

    def digest(self, term: Term, ordered: bool) -> str:
        return _digest(term, self.labels, ordered, self.memo)

    def apart(self, term: Term, ordered: bool) -> str:
        return _apart(term, self.labels, ordered, self.memo)


class Framed(Relation):
    """A relation over a block; `named` are its terms over the block, which tell items apart that are joined alike."""

    block: Block

    def named(self) -> Iterable[tuple[str, Term]]:
        raise NotImplementedError

    def frame(self, labels: Labels, ordered: bool) -> Frame:
        saved: dict[bool, Frame] = self.__dict__.setdefault("_frames", {})
        if ordered not in saved:
            made = framed(self.block, labels, ordered, tuple(self.named()))
            if free(self.terms(), self.inside()):
                return made
            saved[ordered] = made
        return saved[ordered]

    def changed(self) -> None:
        self.__dict__.pop("_frames", None)

    def terms(self) -> Iterable[Term]:
        yield from self.block.terms()
        yield from (term for _, term in self.named())

    def inside(self) -> Iterable[Item]:
        return self.block.inside()


@dataclass(eq=False)
class View(Framed):
    """The columns of a query, in their order, over a block. `order` is its order by without a limit."""

    block: Block
    columns: dict[str, Term]
    order: tuple[Term, ...] = ()

    def named(self) -> Iterable[tuple[str, Term]]:
        return self.columns.items()

    def terms(self) -> Iterable[Term]:
        yield from super().terms()
        yield from self.order

    def rows(self, labels: Labels, ordered: bool) -> str:
        frame = self.frame(labels, ordered)
        if not (ordered and self.order):
            return frame.rows
        return hashed("ordered", frame.rows, [frame.digest(term, ordered) for term in self.order])

    def column(self, key: object, labels: Labels, ordered: bool) -> str:
        return self.frame(labels, ordered).digest(self.columns[str(key)], ordered)

    def apart(self, key: object, labels: Labels, ordered: bool) -> str:
        return self.frame(labels, ordered).apart(self.columns[str(key)], ordered)

    def everything(self, labels: Labels, ordered: bool) -> str:
        """Rows and columns by their position."""
        return hashed(self.rows(labels, ordered), [self.column(name, labels, ordered) for name in self.columns])


@dataclass(eq=False)
class Listing(Framed):
    """A relation over a block whose columns are terms, collected while its query is read; the key is a number."""

    block: Block
    found: list[Term] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def named(self) -> Iterable[tuple[str, Term]]:
        return [("", term) for term in self.found]

    def add(self, term: Term) -> int:
        known = digest(term, Labels(), False)
        if known not in self._known:
            self._known[known] = len(self.found)
            self.found.append(term)
        return self._known[known]

    def unique(self) -> Iterable[frozenset[object]]:
        numbers = {_of_item(term): number for number, term in enumerate(self.found) if _of_item(term)}
        for key in unique_in(self.block):
            if key <= numbers.keys():
                yield frozenset(numbers[each] for each in key)


@dataclass(eq=False)
class Sealed(Listing):
    """A block that keeps to itself: its rows are the block's, windows are computed over just these rows."""

    def rows(self, labels: Labels, ordered: bool) -> str:
        return self.frame(labels, ordered).rows

    def column(self, key: object, labels: Labels, ordered: bool) -> str:
        assert isinstance(key, int)
        term = self.found[key]
        ordered = ordered or by_order(term)
        frame = self.frame(labels, ordered)
        return (
            hashed("window", frame.rows, frame.digest(term, ordered))
            if _any(term, is_window)
            else frame.digest(term, ordered)
        )

    def apart(self, key: object, labels: Labels, ordered: bool) -> str:
        assert isinstance(key, int)
        if _any(self.found[key], is_window):
            return self.column(key, labels, ordered)
        return self.frame(labels, ordered).apart(self.found[key], ordered)

    def unique(self) -> Iterable[frozenset[object]]:
        yield from super().unique()
        known = {digest(term, Labels(), False): number for number, term in enumerate(self.found)}
        for number, term in enumerate(self.found):
            partition = _numbered_by(term)
            if partition is not None:
                columns = {known.get(digest(each, Labels(), False)) for each in partition}
                if None not in columns:
                    yield frozenset({number, *columns})


@dataclass(eq=False)
class Groups(Listing):
    """The groups of a block by keys, which come first in `found`; without keys and sets they are exactly one row."""

    keys: int = 0
    sets: Term | None = None

    def is_one_row(self) -> bool:
        return not self.keys and self.sets is None

    def rows(self, labels: Labels, ordered: bool) -> str:
        if self.is_one_row():
            return hashed("one row")
        frame = self.frame(labels, ordered)
        keys = sorted({frame.apart(key, ordered) for key in self.found[: self.keys]})
        return hashed("groups", frame.rows, keys, self.sets and frame.digest(self.sets, ordered))

    def column(self, key: object, labels: Labels, ordered: bool) -> str:
        assert isinstance(key, int)
        ordered = ordered or by_order(self.found[key])
        frame = self.frame(labels, ordered)
        found = frame.digest(self.found[key], ordered)
        return hashed("key", found) if key < self.keys else hashed("aggregate", frame.rows, found)

    def apart(self, key: object, labels: Labels, ordered: bool) -> str:
        assert isinstance(key, int)
        if key >= self.keys:
            return self.column(key, labels, ordered)
        return hashed("key", self.frame(labels, ordered).apart(self.found[key], ordered))

    def unique(self) -> Iterable[frozenset[object]]:
        """Groups with sets have a key twice: null, and the null of a set without it."""
        return [frozenset(range(self.keys))] if self.sets is None else []

    def terms(self) -> Iterable[Term]:
        yield from super().terms()
        if self.sets is not None:
            yield self.sets


@dataclass(eq=False)
class Limited(Listing):
    """The first rows of a block. Which of several rows of equal rank are among them, SQL leaves open."""

    order: tuple[Term, ...] = ()
    limit: tuple[Term, ...] = ()

    def rows(self, labels: Labels, ordered: bool) -> str:
        frame = self.frame(labels, ordered := ordered or not self.order)
        by = self.order if ordered else tuple(_deciding(self.order, self.block))
        order, limit = ([frame.digest(term, ordered) for term in terms] for terms in (by, self.limit))
        return hashed("limit", frame.rows, order, limit)

    def column(self, key: object, labels: Labels, ordered: bool) -> str:
        assert isinstance(key, int)
        ordered = ordered or not self.order
        return self.frame(labels, ordered).digest(self.found[key], ordered)

    def terms(self) -> Iterable[Term]:
        yield from super().terms()
        yield from self.order
        yield from self.limit


@dataclass(eq=False)
class Together(Relation):
    """`union all`, whose arms have no order, or `intersect` and `except`, whose rows depend on all columns."""

    kind: str
    arms: list[View]

    def _arms(self, labels: Labels, ordered: bool) -> list[View]:
        if self.kind != "union" or ordered:
            return self.arms
        return sorted(self.arms, key=lambda arm: (arm.rows(labels, ordered), arm.everything(labels, ordered)))

    def rows(self, labels: Labels, ordered: bool) -> str:
        arms = self._arms(labels, ordered)
        if self.kind == "union":
            return hashed("union", [arm.rows(labels, ordered) for arm in arms])
        return hashed(self.kind, [arm.everything(labels, ordered) for arm in arms])

    def column(self, key: object, labels: Labels, ordered: bool) -> str:
        assert isinstance(key, int)
        names = [list(arm.columns)[key] for arm in self.arms]
        found = {id(arm): arm.column(name, labels, ordered) for arm, name in zip(self.arms, names, strict=True)}
        return hashed("arms", [found[id(arm)] for arm in self._arms(labels, ordered)])

    def terms(self) -> Iterable[Term]:
        for arm in self.arms:
            yield from arm.terms()

    def inside(self) -> Iterable[Item]:
        for arm in self.arms:
            yield from arm.inside()


def digest(term: Term, labels: Labels, ordered: bool) -> str:
    return _digest(term, labels, ordered, {})


def _digest(term: Term, labels: Labels, ordered: bool, memo: dict[tuple[int, bool], str]) -> str:
    key = (id(term), ordered)
    if key in memo:
        return memo[key]
    if isinstance(term, Op):
        told = _apart if term.name == "=partition_by" else _digest
        args = [told(arg, labels, ordered, memo) for arg in term.args]
        if term.order == "set":
            args = sorted(set(args))
        elif term.order == "bag":
            args.sort()
        found = args[0] if _says_one_thing(term, args) else hashed(term.name, args)
    elif isinstance(term, Ref):
        label = labels[term.item]
        column = "" if term.key is None else term.item.relation.column(term.key, labels, ordered)
        found = hashed("ref", label, column) if label else column
    else:
        view, by = term.view, ordered or term.ordered
        found = hashed("query", view.everything(labels, by) if term.columns else view.rows(labels, by))
    memo[key] = found
    return found


def _says_one_thing(term: Op, digests: Sequence[str]) -> bool:
    """Whether it is a condition that says the same twice: `x = 1 or x = 1` is `x = 1`, null or not."""
    first = term.args[0] if term.args else None
    return term.name in ("and", "or") and len(digests) == 1 and isinstance(first, Op) and first.name in BOOLEAN


def _apart(term: Term, labels: Labels, ordered: bool, memo: dict[tuple[int, bool], str]) -> str:
    """A digest of where a term has the same value and where another, whatever the values are."""
    while isinstance(term, Op) and term.of is not None:
        term = term.of
    if not isinstance(term, Ref) or term.key is None:
        return _digest(term, labels, ordered, memo)
    label, column = labels[term.item], term.item.relation.apart(term.key, labels, ordered)
    return hashed("ref", label, column) if label else column


def parts(term: Term) -> Iterable[Term]:
    """The term and all terms in it; not those in the relations that it refers to."""
    seen: set[int] = set()
    waiting = [term]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, Op):
            waiting.extend(each.args)
        elif isinstance(each, Sub):
            waiting.extend(each.view.terms())


def _any(term: Term, asked: Callable[[Term], bool]) -> bool:
    return any(asked(each) for each in parts(term))


def is_window(term: Term) -> bool:
    return isinstance(term, Op) and term.name == "Window"


# Their result depends on the order of rows, unless an order stands in them.
BY_ORDER = frozenset(
    [
        "ArrayAgg",
        "GroupConcat",
        "First",
        "Last",
        "FirstValue",
        "LastValue",
        "NthValue",
        "AnyValue",
        "Lag",
        "Lead",
        "RowNumber",
        "Ntile",
        "ObjectAgg",
        "JSONArrayAgg",
        "JSONObjectAgg",
        "JSONBObjectAgg",
        "ArrayConcatAgg",
        "ArrayUnionAgg",
        "Mode",
        "ArgMax",
        "ArgMin",
        "ArrayUniqueAgg",
        "ApproxTopK",
        "bare",
    ]
)


def by_order(term: Term) -> bool:
    """Whether the order of rows may decide what it is."""

    def left_open(each: Term, decided: bool) -> bool:
        if not isinstance(each, Op):
            return False
        if each.name in BY_ORDER and not decided and not has_order(each):
            return True
        if is_window(each) and not has_order(each) and any(isinstance(a, Op) and a.name == "=spec" for a in each.args):
            return True  # its frame counts rows
        decided = each.name in {"Window", "WithinGroup"} and has_order(each)
        return any(left_open(arg, decided and arg.name == "=this") for arg in each.args if isinstance(arg, Op))

    def has_order(each: Op) -> bool:
        inner = [arg for named in each.args if isinstance(named, Op) for arg in (named, *named.args)]
        return any(isinstance(arg, Op) and arg.name == "Order" for arg in inner)

    return left_open(term, False)


def items_of(term: Term) -> frozenset[Item]:
    """The items that a term refers to, without those of the queries in it."""
    return frozenset(each.item for each in parts(term) if isinstance(each, Ref)) - frozenset(owned([term]))


def free(terms: Iterable[Term], inside: Iterable[Item]) -> frozenset[Item]:
    """The items that terms need and that are not inside."""
    return frozenset[Item]().union(*map(items_of, terms)) - frozenset(inside)


def substituted(term: Term, change: Callable[[Ref], Term]) -> Term | None:
    """The term with other terms for its references; None if there is a query in it."""
    if isinstance(term, Ref):
        return change(term)
    if isinstance(term, Sub):
        return None
    args = [substituted(arg, change) for arg in term.args]
    if any(arg is None for arg in args):
        return None
    of = None if term.of is None else substituted(term.of, change)
    return Op(term.name, tuple(arg for arg in args if arg is not None), term.order, term.uncast, of)


# Keys


def _of_item(term: Term) -> tuple[Item, object] | None:
    """The column that a term is, or that it has another value with."""
    while isinstance(term, Op) and term.of is not None:
        term = term.of
    return (term.item, term.key) if isinstance(term, Ref) and term.key is not None else None


def _equal_to(condition: Term) -> Iterable[tuple[tuple[Item, object], Term]]:
    """The columns that a condition makes equal to another term, each with that term."""
    if isinstance(condition, Op) and condition.name == "EQ" and condition.uncast:
        for one, other in (condition.args, condition.args[::-1]):
            if (column := _of_item(one)) and column[0] not in items_of(other):
                yield column, other


def _fits_once(item: Item) -> bool:
    """Whether at most one row of a left-joined item is added to each row: its conditions name a whole key of it."""
    fixed = {column[1] for term in item.on or () for column, _ in _equal_to(term) if column[0] is item}
    return any(key <= fixed for key in item.relation.unique())


def looked_up(block: Block) -> list[Item]:
    """The left-joined items that add a row at most, and on which no row depends; each before those that it needs."""
    if block.tag or all(item.on is None for item in block.items):
        return []
    found, rest = [], list(block.items)

    def is_needed(item: Item) -> bool:
        others = (term for each in rest if each is not item for term in (*(each.on or ()), *each.relation.terms()))
        return any(item in items_of(term) for term in (*block.filters, *others))

    while item := next((e for e in rest if e.on is not None and not is_needed(e) and _fits_once(e)), None):
        rest.remove(item)
        found.append(item)
    return found


def unique_in(block: Block) -> Iterable[frozenset[tuple[Item, object]]]:
    """Columns of items of which no two rows of a block have the same values.

    One item's key is enough if the conditions find at most one row of each other item for a row of it.
    """
    once = looked_up(block)
    items = [item for item in block.items if item not in once]
    reading_others = (free(item.relation.terms(), item.relation.inside()) & set(block.items) for item in items)
    if block.tag or any(item.on is not None for item in items) or any(reading_others):
        return
    equal = [each for condition in block.filters for each in _equal_to(condition)]
    for first in items:
        known = {first}
        while found := next(
            (item for item in items if item not in known and _is_fixed(item, equal, known, items)), None
        ):
            known.add(found)
        if len(known) == len(items):
            fixed = {column for column, other in equal if column[0] is first and not (items_of(other) & set(items))}
            for key in first.relation.unique():
                yield frozenset((first, each) for each in key if (first, each) not in fixed)


def unique_columns(view: View) -> Iterable[frozenset[str]]:
    """Columns of a view of which no two rows have the same values."""
    names = {column: name for name, term in view.columns.items() if (column := _of_item(term))}
    for key in unique_in(view.block):
        if key <= names.keys():
            yield frozenset(names[each] for each in key)


def _is_fixed(
    item: Item, equal: Sequence[tuple[tuple[Item, object], Term]], known: Container[Item], items: Container[Item]
) -> bool:
    fixed = {
        column[1]
        for column, other in equal
        if column[0] is item and all(each in known or each not in items for each in items_of(other))
    }
    return any(key <= fixed for key in item.relation.unique())


def _numbered_by(term: Term) -> tuple[Term, ...] | None:
    """The partition of `row_number() over (partition by …)`, within which no number occurs twice."""
    if not is_window(term) or not isinstance(term, Op):
        return None
    args = {arg.name: arg.args for arg in term.args if isinstance(arg, Op)}
    of = args.get("=this", ())
    is_number = len(of) == 1 and isinstance(of[0], Op) and of[0].name == "RowNumber" and "=alias" not in args
    return args.get("=partition_by", ()) if is_number else None


def _deciding(order: Sequence[Term], block: Block) -> Iterable[Term]:
    """The terms of an order up to a whole key: after it, no two rows are of equal rank."""
    keys = list(unique_in(block))
    seen: set[tuple[Item, object] | None] = set()
    for term in order:
        if any(key <= seen for key in keys):
            return
        yield term
        seen.add(_of_item(term.args[0]) if isinstance(term, Op) else None)


def framed(block: Block, outer: Labels, ordered: bool, named: Sequence[tuple[str, Term]]) -> Frame:
    """The rows of a block. Its items are numbered by what they are, not by where they stand in the SQL.

    Left-joined items that decide about no row are no part of it: each is called by what is looked up in it, and how.
    """
    once = [] if ordered else looked_up(block)
    others = [item for item in block.items if item not in once]
    frame = _framed(Block(others, block.filters, block.orders, block.tag), Labels(outer), ordered, named, once)
    for item in reversed(once):
        frame.labels[item] = "it"
        on = sorted({digest(term, frame.labels, ordered) for term in item.on or ()})
        frame.labels[item] = hashed("looked up", item.relation.rows(frame.labels, ordered), on)
    return frame


def _framed(
    block: Block, labels: Labels, ordered: bool, named: Sequence[tuple[str, Term]], once: Sequence[Item]
) -> Frame:
    labels.update(dict.fromkeys(once, "?"))
    # A row that is always there, once, makes no rows more or fewer; and its columns say all that they are.
    single = [] if block.tag else [item for item in block.items if item.on is None and item.relation.is_one_row()]
    labels.update(dict.fromkeys(single, ""))
    others = [item for item in block.items if item not in labels]
    if not others and not block.filters:
        return Frame(hashed("one row"), labels)
    is_ordered = ordered and bool(block.orders)
    if len(others) == 1 and not block.filters and not block.tag and others[0].on is None and not is_ordered:
        labels[others[0]] = ""
        return Frame(others[0].relation.rows(labels, ordered), labels)
    numbered = others if ordered else _sorted(others, block, labels, named)
    labels.update({item: str(number) for number, item in enumerate(numbered)})
    memo: dict[tuple[int, bool], str] = {}

    def described(item: Item) -> tuple[str, str, list[str] | None]:
        on = None if item.on is None else sorted({_digest(term, labels, ordered, memo) for term in item.on})
        return labels[item], item.relation.rows(labels, ordered), on

    filters = sorted({_digest(term, labels, ordered, memo) for term in block.filters})
    orders = [_digest(term, labels, ordered, memo) for term in block.orders] if ordered else []
    return Frame(hashed("block", block.tag, [described(item) for item in numbered], filters, orders), labels, memo)


def _sorted(items: list[Item], block: Block, labels: Labels, named: Sequence[tuple[str, Term]]) -> list[Item]:
    """The items in an order that depends only on what they are and on how they are joined (colour refinement)."""
    labels.update(dict.fromkeys(items, "?"))
    colours = {item: hashed(item.on is None, item.relation.rows(labels, False)) for item in items}
    conditions = [*block.filters, *(term for item in items for term in item.on or ())]
    of_join = {item: {id(term) for term in item.on or ()} for item in items}

    def refined(terms: Sequence[Term]) -> None:
        touching = [(term, [item for item in items if item in items_of(term)]) for term in terms]
        dependent = {item: frozenset().union(*map(items_of, item.relation.terms())) for item in items}
        while len(classes := set(colours.values())) < len(items):
            labels.update(colours)
            news: dict[Item, str] = {}
            for item in items:
                labels[item] = "*"
                seen = [
                    hashed(id(term) in of_join[item], digest(term, labels, False))
                    for term, touched in touching
                    if item in touched or id(term) in of_join[item]
                ]
                of = [
                    hashed(colours[other], other.relation.rows(labels, False))
                    for other in items
                    if item in dependent[other]
                ]
                labels[item] = colours[item]
                news[item] = hashed(colours[item], sorted(seen), sorted(of))
            colours.update(news)
            if len(set(colours.values())) == len(classes):
                return

    refined(conditions)
    if len(set(colours.values())) < len(items):
        refined([Op("named", (Op(name), term)) for name, term in named])
    while len(set(colours.values())) < len(items):
        twice = min(colour for colour in colours.values() if list(colours.values()).count(colour) > 1)
        chosen = next(item for item in items if colours[item] == twice)
        colours[chosen] = hashed(twice, "first")
        refined(conditions)
    return sorted(items, key=colours.__getitem__)
