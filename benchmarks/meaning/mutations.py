"""Changes of a query's meaning: of an expression, a filter, a join or a source column, anywhere in it.

Each mutation takes one place of a qualified query, chosen by chance among all that it fits, and changes it in place.
Nothing says that the rows must differ: the judge executes them and leaves out what is equal on the data.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import traverse_scope

from benchmarks.meaning.rewrites import conjuncts, selects, set_where

Mutation = Callable[[exp.Query, random.Random, Mapping[str, Mapping[str, str]]], bool]


def one(things: Iterable[exp.Expr], chance: random.Random) -> exp.Expr | None:
    listed = list(things)
    return chance.choice(listed) if listed else None


def in_projections(query: exp.Query, *kinds: type[exp.Expr]) -> list[exp.Expr]:
    return [found for select in selects(query) for each in select.selects for found in each.find_all(*kinds)]


def in_conditions(query: exp.Query, *kinds: type[exp.Expr]) -> list[exp.Expr]:
    places = [select.args[key] for select in selects(query) for key in ("where", "having") if select.args.get(key)]
    return [found for place in places for found in place.find_all(*kinds)]


def other_literal(literal: exp.Expr, chance: random.Random, like: list[str]) -> exp.Expr:
    if literal.args["is_string"]:
        others = [each for each in like if each != literal.this]
        return exp.Literal.string(chance.choice(others) if others else f"{literal.this}x")
    step = chance.choice([1, 2, -1])
    number = float(literal.this) + step
    return exp.Literal.number(int(number) if "." not in literal.this else number)


def another_value(query: exp.Query, literal: exp.Expr | None, chance: random.Random) -> bool:
    """Whether a literal was found and is another one now."""
    if literal is None:
        return False
    literal.replace(other_literal(literal, chance, _strings(query)))
    return True


def _strings(query: exp.Query) -> list[str]:
    return sorted({each.this for each in query.find_all(exp.Literal) if each.is_string})


# Expressions


def operator(query: exp.Query, chance: random.Random, _: object) -> bool:
    """Another arithmetic operator."""
    found = one(in_projections(query, exp.Add, exp.Sub, exp.Mul), chance)
    if found is None:
        return False
    other = chance.choice([kind for kind in (exp.Add, exp.Sub, exp.Mul) if kind is not type(found)])
    found.replace(exp.Paren(this=other(this=found.this.copy(), expression=found.expression.copy())))
    return True


def aggregate(query: exp.Query, chance: random.Random, _: object) -> bool:
    """Another aggregate: `avg(x)` for `sum(x)`."""
    kinds = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count, exp.StddevSamp)
    found = one((e for e in in_projections(query, *kinds) if not isinstance(e.this, (exp.Star, exp.Distinct))), chance)
    if found is None:
        return False
    other = chance.choice([kind for kind in (exp.Sum, exp.Avg, exp.Min, exp.Max) if kind is not type(found)])
    found.replace(other(this=found.this.copy()))
    return True


def distinct_aggregate(query: exp.Query, chance: random.Random, _: object) -> bool:
    """`sum(distinct x)` for `sum(x)`, or the other way round."""
    found = one(
        (e for e in in_projections(query, exp.Sum, exp.Avg, exp.Count) if not isinstance(e.this, exp.Star)), chance
    )
    if found is None:
        return False
    inside = found.this
    found.set("this", inside.expressions[0] if isinstance(inside, exp.Distinct) else exp.Distinct(expressions=[inside]))
    return True


def number_in_expression(query: exp.Query, chance: random.Random, _: object) -> bool:
    """Another number or text in an expression."""
    return another_value(query, one(in_projections(query, exp.Literal), chance), chance)


def case_result(query: exp.Query, chance: random.Random, _: object) -> bool:
    """The results of a case swapped, or null for one of them."""
    found = one(in_projections(query, exp.Case), chance)
    if found is None:
        return False
    branch = chance.choice(found.args["ifs"])
    default = found.args.get("default")
    if default is not None and chance.random() < 0.5:
        found.set("default", branch.args["true"].copy())
        branch.set("true", default.copy())
    else:
        branch.set("true", exp.Null())
    return True


def condition_of_case(query: exp.Query, chance: random.Random, _: object) -> bool:
    """The condition of a case negated."""
    found = one((branch for case in in_projections(query, exp.Case) for branch in case.args["ifs"]), chance)
    if found is None or found.parent.this:
        return False
    found.set("this", exp.Not(this=exp.Paren(this=found.this.copy())))
    return True


def null_replaced(query: exp.Query, chance: random.Random, _: object) -> bool:
    """A default for null, or none any more."""
    found = one(in_projections(query, exp.Coalesce, exp.Sum), chance)
    if found is None:
        return False
    if isinstance(found, exp.Coalesce):
        found.replace(found.this.copy())
    else:
        found.replace(exp.Coalesce(this=found.copy(), expressions=[exp.Literal.number(0)]))
    return True


def added_to_a_column(query: exp.Query, chance: random.Random, _: object) -> bool:
    """One added to a column of a select; to a text, a letter."""
    found = one((e for s in selects(query) for e in s.selects if _can_be_added_to(e)), chance)
    if found is None:
        return False
    column = found.unalias().copy()
    is_text = found.unalias().is_type(*exp.DataType.TEXT_TYPES)
    more = exp.Literal.string("x") if is_text else exp.Literal.number(1)
    other = exp.DPipe(this=column, expression=more) if is_text else exp.Add(this=column, expression=more)
    found.replace(exp.alias_(other, found.alias_or_name))
    return True


def _can_be_added_to(projection: exp.Expr) -> bool:
    column = projection.unalias()
    return isinstance(column, exp.Column) and column.is_type(*exp.DataType.TEXT_TYPES, *exp.DataType.NUMERIC_TYPES)


def window(query: exp.Query, chance: random.Random, _: object) -> bool:
    """Another partition or direction of a window."""
    found = one(query.find_all(exp.Window), chance)
    if found is None:
        return False
    partition, order = found.args.get("partition_by"), found.args.get("order")
    if order and chance.random() < 0.5:
        for each in order.expressions:
            each.set("desc", not each.args.get("desc"))
    elif partition:
        found.set("partition_by", partition[:-1])
    else:
        return False
    return True


# Filters


def value_in_filter(query: exp.Query, chance: random.Random, _: object) -> bool:
    """Another number or text in a filter."""
    return another_value(query, one(in_conditions(query, exp.Literal), chance), chance)


def comparison(query: exp.Query, chance: random.Random, _: object) -> bool:
    """Another comparison with a value: `<` for `<=`."""
    kinds = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ)
    found = one((e for e in in_conditions(query, *kinds) if e.find(exp.Literal)), chance)
    if found is None:
        return False
    other = chance.choice([kind for kind in kinds if kind is not type(found)])
    found.replace(other(this=found.this.copy(), expression=found.expression.copy()))
    return True


def filter_dropped(query: exp.Query, chance: random.Random, _: object) -> bool:
    """A filter that is gone; not one that joins tables."""
    places = []
    for select in selects(query):
        conditions = conjuncts(select.args["where"].this if select.args.get("where") else None)
        places += [(select, c, conditions) for c in conditions if len({x.table for x in c.find_all(exp.Column)}) == 1]
    if not places:
        return False
    select, dropped, conditions = chance.choice(places)
    set_where(select, [each.copy() for each in conditions if each is not dropped])
    return True


def filter_added(query: exp.Query, chance: random.Random, _: object) -> bool:
    """A filter more: about half of the values of a column that is selected."""
    places = [
        (s, c)
        for s in selects(query)
        for each in s.selects
        for c in each.find_all(exp.Column)
        if s.args.get("from_") and c.type and (c.is_type(*exp.DataType.TEXT_TYPES, *exp.DataType.NUMERIC_TYPES))
    ]
    if not places:
        return False
    select, column = chance.choice(places)
    is_text = column.is_type(*exp.DataType.TEXT_TYPES)
    measured = f"unicode(right({column.sql('duckdb')}, 1))" if is_text else f"cast({column.sql('duckdb')} as bigint)"
    conditions = conjuncts(select.args["where"].this if select.args.get("where") else None)
    half = parse_one(f"{measured} % 2 = 0", dialect="duckdb")
    set_where(select, [*(each.copy() for each in conditions), half])
    return True


def and_for_or(query: exp.Query, chance: random.Random, _: object) -> bool:
    """`and` for `or`."""
    found = one(in_conditions(query, exp.Or), chance)
    if found is None:
        return False
    found.replace(exp.Paren(this=exp.And(this=found.this.copy(), expression=found.expression.copy())))
    return True


def value_of_a_list(query: exp.Query, chance: random.Random, _: object) -> bool:
    """A value less in a list."""
    found = one((each for each in in_conditions(query, exp.In) if len(each.expressions) > 1), chance)
    if found is None:
        return False
    found.set("expressions", found.expressions[:-1])
    return True


def bounds(query: exp.Query, chance: random.Random, _: object) -> bool:
    """A `between` without its bounds, or `not between`."""
    found = one(in_conditions(query, exp.Between), chance)
    if found is None:
        return False
    if chance.random() < 0.5:
        found.replace(exp.Paren(this=exp.Not(this=exp.Paren(this=found.copy()))))
    else:
        low = exp.GT(this=found.this.copy(), expression=found.args["low"].copy())
        high = exp.LT(this=found.this.copy(), expression=found.args["high"].copy())
        found.replace(exp.Paren(this=exp.And(this=low, expression=high)))
    return True


def limited(query: exp.Query, chance: random.Random, _: object) -> bool:
    """Another number of rows."""
    found = one((each for each in query.find_all(exp.Limit)), chance)
    if found is None:
        return False
    found.set("expression", exp.Literal.number(max(1, int(found.expression.this) // 2)))
    return True


# Joins and sets


def kind_of_join(query: exp.Query, chance: random.Random, _: object) -> bool:
    """A left join as an inner join, or the other way round."""
    found = one((each for each in query.find_all(exp.Join) if each.args.get("on")), chance)
    if found is None:
        return False
    found.set("side", None if found.side == "LEFT" else "LEFT")
    found.set("kind", None)
    return True


def key_of_join(query: exp.Query, chance: random.Random, known: Mapping[str, Mapping[str, str]]) -> bool:
    """Another column of the same type in a condition that joins tables."""
    found = [
        column
        for equal in query.find_all(exp.EQ)
        if isinstance(equal.this, exp.Column) and isinstance(equal.expression, exp.Column)
        for column in (equal.this, equal.expression)
    ]
    return _other_column(query, found, chance, known)


def comma_as_left_join(query: exp.Query, chance: random.Random, _: object) -> bool:
    """A table of a list of tables as a left join."""
    places = []
    for select in selects(query):
        joins = select.args.get("joins") or []
        if joins and not joins[-1].args.get("on") and not joins[-1].side:
            alias = joins[-1].this.alias_or_name
            conditions = conjuncts(select.args["where"].this if select.args.get("where") else None)
            own = [
                c for c in conditions if alias in {x.table for x in c.find_all(exp.Column)} and not c.find(exp.Query)
            ]
            if own:
                places.append((select, joins[-1], own, conditions))
    if not places:
        return False
    select, join, own, conditions = chance.choice(places)
    kept = [each.copy() for each in conditions if not any(each is other for other in own)]
    join.set("on", exp.and_(*(each.copy() for each in own)))
    join.set("side", "LEFT")
    join.set("kind", None)
    set_where(select, kept)
    return True


def kind_of_set(query: exp.Query, chance: random.Random, _: object) -> bool:
    """`union` for `union all`, `except` for `intersect`, and the other way round."""
    found = one(query.find_all(exp.SetOperation), chance)
    if found is None:
        return False
    if isinstance(found, exp.Union):
        found.set("distinct", not found.args.get("distinct"))
        return True
    other = exp.Intersect if isinstance(found, exp.Except) else exp.Except
    if found is query or found.args.get("with_"):
        return False
    found.replace(other(this=found.this.copy(), expression=found.expression.copy(), distinct=True))
    return True


def duplicates(query: exp.Query, chance: random.Random, _: object) -> bool:
    """`select distinct` for `select`, or the other way round."""
    found = one((each for each in selects(query) if each.args.get("distinct") or not each.args.get("group")), chance)
    if found is None:
        return False
    found.set("distinct", None if found.args.get("distinct") else exp.Distinct())
    return True


def wanted_rows(query: exp.Query, chance: random.Random, _: object) -> bool:
    """`not exists` for `exists`, `not in` for `in`, and the other way round."""
    found = one(
        (e for e in in_conditions(query, exp.Exists, exp.In) if isinstance(e, exp.Exists) or e.args.get("query")),
        chance,
    )
    if found is None:
        return False
    if isinstance(found.parent, exp.Not):
        found.parent.replace(found.copy())
    else:
        found.replace(exp.Not(this=found.copy()))
    return True


# Source columns


def column_of_expression(query: exp.Query, chance: random.Random, known: Mapping[str, Mapping[str, str]]) -> bool:
    """Another column of the same type of the same table, in what is selected."""
    return _other_column(query, in_projections(query, exp.Column), chance, known)


def column_of_filter(query: exp.Query, chance: random.Random, known: Mapping[str, Mapping[str, str]]) -> bool:
    """Another column of the same type of the same table, in a filter."""
    return _other_column(query, in_conditions(query, exp.Column), chance, known)


def _other_column(
    query: exp.Query, places: Iterable[exp.Expr], chance: random.Random, known: Mapping[str, Mapping[str, str]]
) -> bool:
    tables = {
        id(column): source.name
        for scope in traverse_scope(query)
        for column in scope.columns
        if isinstance(source := scope.sources.get(column.table), exp.Table)
    }
    listed = [each for each in places if id(each) in tables]
    chance.shuffle(listed)
    for column in listed:
        types = known[tables[id(column)]]
        others = [name for name, type_ in types.items() if type_ == types[column.name] and name != column.name]
        if others:
            column.set("this", exp.to_identifier(chance.choice(others)))
            return True
    return False


KINDS: dict[str, dict[str, Mutation]] = {
    kind: {each.__name__.replace("_", " "): each for each in mutations}
    for kind, mutations in {
        "expression": (
            operator,
            aggregate,
            distinct_aggregate,
            number_in_expression,
            case_result,
            condition_of_case,
            null_replaced,
            added_to_a_column,
            window,
        ),
        "filter": (
            value_in_filter,
            comparison,
            filter_dropped,
            filter_added,
            and_for_or,
            value_of_a_list,
            bounds,
            limited,
        ),
        "join": (kind_of_join, key_of_join, comma_as_left_join, kind_of_set, duplicates, wanted_rows),
        "source column": (column_of_expression, column_of_filter),
    }.items()
}
