"""Conditions as terms: what is joined by `and` and `or`, negated, and filtered by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from portmesh.lineage.meaning.terms import (
    BOOLEAN,
    Block,
    Groups,
    Op,
    Ref,
    Sub,
    Term,
    View,
    is_window,
    items_of,
    parts,
    substituted,
)

NEGATED = {"EQ": "NEQ", "NEQ": "EQ", "LT": "GTE", "LTE": "GT"}


def exists(view: View) -> Op:
    """Whether a query has rows; whether they are grouped does not matter."""
    while view.block.trivial() and isinstance(groups := view.block.items[0].relation, Groups):
        if not groups.keys or groups.sets is not None:
            break
        view = View(groups.block, {})
    return Op("Exists", (Sub(View(view.block, {}), columns=False),))


def as_filter(term: Term) -> Term:
    """A condition of which only matters whether it is true: `x in (select y ...)` asks whether there is such a y."""
    if isinstance(term, Op) and term.name in ("and", "or"):
        return joined(term.name, map(as_filter, term.args))
    if (
        isinstance(term, Op)
        and term.name == "In"
        and isinstance(sub := term.args[1], Sub)
        and len(sub.view.columns) == 1
    ):
        (column,) = sub.view.columns.values()
        add_filter(sub.view.block, Op("EQ", (term.args[0], column), "bag"))
        return exists(sub.view)
    return term


def joined(key: str, terms: Iterable[Term]) -> Term:
    """Conditions with `and` or `or`: flat, each once. One alone is itself: `x in (1)` is `x = 1`."""
    flat = [part for t in terms for part in (t.args if isinstance(t, Op) and t.name == key else (t,))]
    return Op(key, tuple(flat), "set") if len(flat) > 1 else flat[0]


def conjuncts(term: Term) -> list[Term]:
    """The parts of a condition that must all be true."""
    return [as_filter(each) for each in (term.args if isinstance(term, Op) and term.name == "and" else [term])]


def negated(term: Term, orders_nan: bool) -> Term:
    """Not the term. `not a < b` is `a >= b` only where NaN has a place in the order of numbers."""
    if isinstance(term, Op) and term.name in ("and", "or"):
        other = "or" if term.name == "and" else "and"
        return joined(other, [negated(arg, orders_nan) for arg in term.args])
    if isinstance(term, Op) and term.name == "Not" and isinstance(term.args[0], Op) and term.args[0].name in BOOLEAN:
        return term.args[0]
    if isinstance(term, Op) and term.name in ("EQ", "NEQ"):
        return replace(term, name=NEGATED[term.name])
    if isinstance(term, Op) and term.name in ("LT", "LTE") and orders_nan:
        return Op("LTE" if term.name == "LT" else "LT", (term.args[1], term.args[0]))
    return Op("Not", (term,))


def add_filter(block: Block, condition: Term) -> None:
    """Add a filter. One on keys of groups decides which rows are grouped, so it belongs there."""
    items = items_of(condition)
    item = next(iter(items)) if len(items) == 1 else None
    if item in block.items and item is not None and item.on is None and isinstance(item.relation, Groups):
        groups = item.relation
        keys = {each.key for each in parts(condition) if isinstance(each, Ref)}
        if groups.sets is None and all(isinstance(key, int) and key < groups.keys for key in keys):
            inner = substituted(condition, lambda ref: groups.found[int(str(ref.key))])
            if inner is not None and not any(map(is_window, parts(inner))):
                groups.changed()
                add_filter(groups.block, inner)
                return
    block.filters.append(condition)
