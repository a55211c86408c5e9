"""Ways to write a query differently that keep its meaning. Each takes a qualified query and changes it in place.

A rewrite returns False if the query has nothing that it could rewrite. The judge executes every rewrite: rows that
differ are a fault of this file, and stop the benchmark.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

Rewrite = Callable[[exp.Query, random.Random], bool]
FLIPPED = {exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE, exp.EQ: exp.EQ, exp.NEQ: exp.NEQ}
OPPOSITE = {exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.LT: exp.GTE, exp.GTE: exp.LT, exp.GT: exp.LTE, exp.LTE: exp.GT}


def selects(query: exp.Query) -> list[exp.Select]:
    return list(query.find_all(exp.Select))


def some(things: Iterable[exp.Expr], chance: random.Random) -> list[exp.Expr]:
    """About half of them, one at least; inner ones first, so that they can be replaced."""
    listed = list(things)
    chosen = [each for each in listed if chance.random() < 0.5]
    chosen = chosen or ([chance.choice(listed)] if listed else [])
    return sorted(chosen, key=lambda each: -each.depth)


def conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    if condition is None:
        return []
    while isinstance(condition, exp.Paren):
        condition = condition.this
    return (
        [part for each in condition.flatten() for part in ([each])] if isinstance(condition, exp.And) else [condition]
    )


def set_where(select: exp.Select, conditions: list[exp.Expr]) -> None:
    select.set("where", exp.Where(this=exp.and_(*conditions, copy=False)) if conditions else None)


def free_name(query: exp.Query, start: str) -> str:
    taken = {each.name.lower() for each in query.find_all(exp.Identifier)}
    return next(name for number in range(1000) if (name := f"{start}_{number}") not in taken)


def add_cte(query: exp.Query, name: str, body: exp.Query, first: bool = False) -> None:
    cte = exp.CTE(this=body, alias=exp.TableAlias(this=exp.to_identifier(name)))
    with_ = query.args.get("with_")
    listed = list(with_.expressions) if with_ else []
    query.set("with_", exp.With(expressions=[cte, *listed] if first else [*listed, cte]))


def only_inner(select: exp.Select) -> bool:
    joins = select.args.get("joins") or []
    plain = all(not join.side and join.kind in ("", "INNER", "CROSS") and not join.args.get("using") for join in joins)
    return plain and not any(isinstance(join.this, (exp.Lateral, exp.Unnest)) for join in joins)


def sources(select: exp.Select) -> list[exp.Expr]:
    from_ = select.args.get("from_")
    return [from_.this, *(join.this for join in select.args.get("joins") or [])] if from_ else []


def aliases_in(expression: exp.Expr) -> set[str]:
    return {column.table for column in expression.find_all(exp.Column)}


# Names and layout


def layout(query: exp.Query, _: random.Random) -> bool:  # noqa: ARG001
    """Only what every rewrite has: other lines, capitals, quotes, and a table before each column."""
    return True


def table_aliases(query: exp.Query, chance: random.Random) -> bool:
    """Other aliases for all tables."""
    for number, scope in enumerate(traverse_scope(query)):
        for alias, (node, _) in scope.selected_sources.items():
            new = f"{chance.choice('tuvw')}{number}_{alias[:3]}_{chance.randrange(1000)}"
            for column in scope.columns:
                if column.table == alias:
                    column.set("table", exp.to_identifier(new))
            source = node if isinstance(node, (exp.Table, exp.Subquery)) else node.find_ancestor(exp.Subquery)
            source.set("alias", exp.TableAlias(this=exp.to_identifier(new)))
    return True


def cte_names(query: exp.Query, chance: random.Random) -> bool:
    """Other names for all CTEs."""
    names = {cte.alias: f"step_{chance.randrange(10000)}_{n}" for n, cte in enumerate(query.find_all(exp.CTE))}
    for table in query.find_all(exp.Table):
        if table.name in names:
            table.set("alias", table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(names[table.name]))
    for cte in query.find_all(exp.CTE):
        cte.set("alias", exp.TableAlias(this=exp.to_identifier(names[cte.alias])))
    return bool(names)


def parentheses(query: exp.Query, chance: random.Random) -> bool:
    """Parentheses around operations that need none."""
    binary = (each for each in query.find_all(exp.Binary) if not isinstance(each, exp.Dot))
    for each in some(binary, chance):
        each.replace(exp.Paren(this=each.copy()))
    return True


# Conditions


def order_of_conditions(query: exp.Query, chance: random.Random) -> bool:
    """Another order of what is joined by `and` and by `or`."""
    tops = [each for each in query.find_all(exp.Connector) if not isinstance(each.parent, type(each))]
    for top in sorted(tops, key=lambda each: -each.depth):
        parts = [part.copy() for part in top.flatten(unnest=False)]
        chance.shuffle(parts)
        top.replace(exp.and_(*parts) if isinstance(top, exp.And) else exp.or_(*parts))
    return bool(tops)


def turned_comparisons(query: exp.Query, chance: random.Random) -> bool:
    """`a < b` as `b > a`."""
    for each in some((e for e in query.find_all(*FLIPPED) if type(e) in FLIPPED), chance):
        each.replace(FLIPPED[type(each)](this=each.expression.copy(), expression=each.this.copy()))
    return True


def turned_operations(query: exp.Query, chance: random.Random) -> bool:
    """`a + b` as `b + a`, and the same for products."""
    found = list(query.find_all(exp.Add, exp.Mul))
    for each in some(found, chance):
        each.replace(type(each)(this=_wrapped(each.expression), expression=_wrapped(each.this)))
    return bool(found)


def _wrapped(expression: exp.Expr) -> exp.Expr:
    copied = expression.copy()
    return exp.Paren(this=copied) if isinstance(copied, exp.Binary) else copied


def between_as_comparisons(query: exp.Query, chance: random.Random) -> bool:
    """`x between a and b` as two comparisons."""
    found = list(query.find_all(exp.Between))
    for each in some(found, chance):
        low = exp.GTE(this=_wrapped(each.this), expression=_wrapped(each.args["low"]))
        high = exp.LTE(this=_wrapped(each.this), expression=_wrapped(each.args["high"]))
        each.replace(exp.Paren(this=exp.And(this=low, expression=high)))
    return bool(found)


def order_in_lists(query: exp.Query, chance: random.Random) -> bool:
    """Another order of the values of `in`, one of them twice."""
    found = [each for each in query.find_all(exp.In) if each.expressions]
    for each in found:
        values = [value.copy() for value in (*each.expressions, each.expressions[0])]
        chance.shuffle(values)
        each.set("expressions", values)
    return bool(found)


def lists_as_or(query: exp.Query, chance: random.Random) -> bool:
    """`x in (1, 2)` as `x = 1 or x = 2`."""
    found = [each for each in query.find_all(exp.In) if each.expressions and len(each.expressions) < 10]
    for each in some(found, chance):
        equal = [exp.EQ(this=_wrapped(each.this), expression=value.copy()) for value in each.expressions]
        each.replace(exp.Paren(this=exp.or_(*equal)))
    return bool(found)


def double_negations(query: exp.Query, chance: random.Random) -> bool:
    """`a = b` as `not a <> b`."""
    found = [each for each in query.find_all(*OPPOSITE) if type(each) in OPPOSITE]
    for each in some(found, chance):
        opposite = OPPOSITE[type(each)](this=each.this.copy(), expression=each.expression.copy())
        each.replace(exp.Paren(this=exp.Not(this=exp.Paren(this=opposite))))
    return bool(found)


def de_morgan(query: exp.Query, chance: random.Random) -> bool:
    """`a or b` as `not (not a and not b)`."""
    found = list(query.find_all(exp.Or))
    for each in some(found, chance):
        parts = [exp.Not(this=exp.Paren(this=part.copy())) for part in (each.this, each.expression)]
        each.replace(exp.Paren(this=exp.Not(this=exp.Paren(this=exp.and_(*parts)))))
    return bool(found)


def computed_numbers(query: exp.Query, _: random.Random) -> bool:
    """`1200 + 11` as `1211`."""
    found = [
        each
        for each in query.find_all(exp.Add, exp.Sub)
        if all(isinstance(part, exp.Literal) and part.is_int for part in (each.this, each.expression))
    ]
    for each in found:
        left, right = int(each.this.this), int(each.expression.this)
        each.replace(exp.Literal.number(left + right if isinstance(each, exp.Add) else left - right))
    return bool(found)


def case_of_a_value(query: exp.Query, _: random.Random) -> bool:
    """`case when x = 1 then` as `case x when 1 then`, and the other way round."""
    done = False
    for case in list(query.find_all(exp.Case)):
        if case.this:
            for each in case.args["ifs"]:
                each.set("this", exp.EQ(this=case.this.copy(), expression=each.this))
            case.set("this", None)
            done = True
        elif all(isinstance(_unwrapped(each.this), exp.EQ) for each in case.args["ifs"]):
            equals = [_unwrapped(each.this) for each in case.args["ifs"]]
            if len({each.this.sql() for each in equals}) == 1:
                case.set("this", equals[0].this.copy())
                for each, equal in zip(case.args["ifs"], equals, strict=True):
                    each.set("this", equal.expression.copy())
                done = True
    return done


def _unwrapped(expression: exp.Expr) -> exp.Expr:
    while isinstance(expression, exp.Paren):
        expression = expression.this
    return expression


def exists_for_in(query: exp.Query, chance: random.Random) -> bool:
    """A condition `x in (select y ...)` as `exists (select 1 ... where y = x)`."""
    name = free_name(query, "wanted")
    found = [
        each
        for select in selects(query)
        for each in conjuncts(select.args["where"].this if select.args.get("where") else None)
        if isinstance(each, exp.In) and each.args.get("query")
    ]
    for each in some(found, chance):
        inner = each.args["query"].unnest().copy()
        inner.selects[0].replace(exp.alias_(inner.selects[0].unalias().copy(), "found"))
        derived = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(name)))
        equal = exp.EQ(this=exp.column("found", name), expression=each.this.copy())
        each.replace(exp.Exists(this=exp.select("1").from_(derived).where(equal)))
    return bool(found)


# Joins


def conditions_to_on(query: exp.Query, _: random.Random) -> bool:
    """Tables with commas as joins with `on`."""
    done = False
    for select in selects(query):
        joins = select.args.get("joins") or []
        if not joins or not only_inner(select):
            continue
        conditions = conjuncts(select.args["where"].this if select.args.get("where") else None)
        seen = {sources(select)[0].alias_or_name}
        own = {source.alias_or_name for source in sources(select)}
        for join in joins:
            seen.add(join.this.alias_or_name)
            fits = [c for c in conditions if join.this.alias_or_name in aliases_in(c) and aliases_in(c) & own <= seen]
            fits = [condition for condition in fits if not condition.find(exp.Query)]
            conditions = [condition for condition in conditions if not any(condition is each for each in fits)]
            on = [*conjuncts(join.args.get("on")), *fits]
            join.set("kind", "INNER" if on else "CROSS")
            join.set("on", exp.and_(*on) if on else None)
            done = True
        set_where(select, conditions)
    return done


def conditions_to_where(query: exp.Query, _: random.Random) -> bool:
    """Joins with `on` as tables with commas."""
    done = False
    for select in selects(query):
        joins = select.args.get("joins") or []
        if any(join.args.get("on") for join in joins) and only_inner(select):
            _to_where(select)
            done = True
    return done


def _to_where(select: exp.Select) -> None:
    conditions = conjuncts(select.args["where"].this if select.args.get("where") else None)
    for join in select.args.get("joins") or []:
        conditions += conjuncts(join.args.get("on"))
        join.set("on", None)
        join.set("kind", "CROSS")
    set_where(select, conditions)


def order_of_joins(query: exp.Query, chance: random.Random) -> bool:
    """Another order of inner joins."""
    done = False
    for select in selects(query):
        if len(sources(select)) > 1 and only_inner(select):
            _to_where(select)
            shuffled = [source.copy() for source in sources(select)]
            chance.shuffle(shuffled)
            select.set("from_", exp.From(this=shuffled[0]))
            select.set("joins", [exp.Join(this=source, kind="CROSS") for source in shuffled[1:]])
            done = True
    return done


def left_as_right_join(query: exp.Query, _: random.Random) -> bool:
    """`a left join b` as `b right join a`."""
    done = False
    for select in selects(query):
        joins = select.args.get("joins") or []
        if joins and joins[0].side == "LEFT" and not joins[0].args.get("using"):
            left, right = sources(select)[0].copy(), joins[0].this.copy()
            select.set("from_", exp.From(this=right))
            joins[0].set("this", left)
            joins[0].set("side", "RIGHT")
            done = True
    return done


# CTEs and subqueries


def _is_correlated(subquery: exp.Expr, scopes: Iterable[Scope]) -> bool:
    return any(bool(scope.external_columns) for scope in scopes if scope.expression is subquery.this)


def subqueries_to_ctes(query: exp.Query, chance: random.Random) -> bool:
    """A subquery in `from` as a CTE."""
    scopes = traverse_scope(query)
    found = [
        each
        for each in query.find_all(exp.Subquery)
        if isinstance(each.parent, (exp.From, exp.Join)) and each.alias and not _is_correlated(each, scopes)
    ]
    for each in some(found, chance):
        inside = each.find_ancestor(exp.CTE)
        name = free_name(query, "taken_out")
        if inside is None:
            add_cte(query, name, each.this.copy())
        else:
            cte = exp.CTE(this=each.this.copy(), alias=exp.TableAlias(this=exp.to_identifier(name)))
            listed = list(inside.parent.expressions)
            place = next(n for n, other in enumerate(listed) if other is inside)
            inside.parent.set("expressions", [*listed[:place], cte, *listed[place:]])
        each.replace(exp.Table(this=exp.to_identifier(name), alias=each.args["alias"].copy()))
    return bool(found)


def ctes_to_subqueries(query: exp.Query, _: random.Random) -> bool:
    """All CTEs as subqueries where they are read."""
    with_ = query.args.get("with_")
    if not with_:
        return False
    bodies: dict[str, exp.Expr] = {}
    for cte in with_.expressions:
        _put_in(cte.this, bodies)
        bodies[cte.alias] = cte.this
    query.set("with_", None)
    _put_in(query, bodies)
    return True


def _put_in(query: exp.Expr, bodies: dict[str, exp.Expr]) -> None:
    for table in list(query.find_all(exp.Table)):
        if table.name in bodies:
            alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
            table.replace(exp.Subquery(this=bodies[table.name].copy(), alias=alias))


def import_ctes(query: exp.Query, _: random.Random) -> bool:
    """Each table by a CTE that reads all of it."""
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    names: dict[str, str] = {}
    for table in list(query.find_all(exp.Table)):
        if table.name in ctes or table.args.get("db"):
            continue
        name = names.setdefault(table.name, f"read_{table.name}")
        alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
        table.set("alias", alias)
        table.set("this", exp.to_identifier(name))
    for table_name, name in names.items():
        add_cte(query, name, exp.select("*").from_(table_name), first=True)
    return bool(names)


def order_of_ctes(query: exp.Query, chance: random.Random) -> bool:
    """Another order of the CTEs that still has each before its readers."""
    with_ = query.args.get("with_")
    if not with_ or len(with_.expressions) < 2:
        return False
    waiting = {cte.alias: cte for cte in with_.expressions}
    needs = {name: {t.name for t in cte.find_all(exp.Table)} & set(waiting) - {name} for name, cte in waiting.items()}
    listed: list[exp.Expr] = []
    while waiting:
        name = chance.choice(sorted(name for name in waiting if not needs[name] & set(waiting)))
        listed.append(waiting.pop(name))
    changed = [each.alias for each in listed] != [each.alias for each in with_.expressions]
    with_.set("expressions", listed)
    return changed


def final_star(query: exp.Query, _: random.Random) -> bool:
    """The query as a CTE, of which everything is selected."""
    if query.args.get("order") and not query.args.get("limit"):
        query.set("order", None)
    inner = query.copy()
    name = free_name(query, "final")
    listed = list(inner.args["with_"].expressions) if inner.args.get("with_") else []
    inner.set("with_", None)
    wrapped = exp.select("*").from_(name)
    cte = exp.CTE(this=inner, alias=exp.TableAlias(this=exp.to_identifier(name)))
    wrapped.set("with_", exp.With(expressions=[*listed, cte]))
    query.replace(wrapped)
    return _become(query, wrapped)


def _become(query: exp.Query, other: exp.Query) -> bool:
    """Make a query another one, in place; only a select can become a select."""
    if type(query) is not type(other):
        return False
    for key in list(query.args):
        query.set(key, None)
    for key, value in other.args.items():
        query.set(key, value)
    return True


def filters_in_subqueries(query: exp.Query, chance: random.Random) -> bool:
    """A table with its filters as a subquery that filters."""
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    found = []
    for select in selects(query):
        conditions = conjuncts(select.args["where"].this if select.args.get("where") else None)
        for source in sources(select):
            own = [c for c in conditions if aliases_in(c) == {source.alias_or_name} and not c.find(exp.Query)]
            if isinstance(source, exp.Table) and source.name not in ctes and own and only_inner(select):
                found.append((select, source, own))
    if not found:
        return False
    select, source, own = chance.choice(found)
    conditions = conjuncts(select.args["where"].this)
    kept = [condition for condition in conditions if not any(condition is each for each in own)]
    inner = exp.select("*").from_(source.copy()).where(*(each.copy() for each in own))
    source.replace(exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(source.alias_or_name))))
    set_where(select, [each.copy() for each in kept])
    return True


def unused_columns(query: exp.Query, _: random.Random) -> bool:
    """A column more in CTEs, which nobody reads."""
    done = False
    for cte in query.find_all(exp.CTE):
        body = cte.this
        if isinstance(body, exp.Select) and not body.args.get("distinct") and cte.parent.parent is query:
            name = free_name(query, "unused")
            body.select(exp.alias_(exp.Literal.number(1), name), copy=False)
            done = not _is_in_a_set(query, cte.alias) or done
            if _is_in_a_set(query, cte.alias):
                body.selects[-1].pop()
    return done


def _is_in_a_set(query: exp.Query, name: str) -> bool:
    """Whether a query selects everything of it, so that a column more is a column more there."""
    return any(
        table.name == name and table.parent_select and table.parent_select.is_star
        for table in query.find_all(exp.Table)
    )


# Groups, sets and duplicates


def order_of_groups(query: exp.Query, chance: random.Random) -> bool:
    """Another order of the columns in `group by`."""
    found = [each for each in query.find_all(exp.Group) if len(each.expressions) > 1]
    for each in found:
        keys = [key.copy() for key in each.expressions]
        chance.shuffle(keys)
        each.set("expressions", keys)
    return bool(found)


def groups_by_position(query: exp.Query, _: random.Random) -> bool:
    """`group by 1, 2` in place of columns."""
    done = False
    for select in selects(query):
        group = select.args.get("group")
        if not group:
            continue
        places = {each.unalias().sql(): number for number, each in enumerate(select.selects, 1)}
        keys = [
            exp.Literal.number(places[key.sql()]) if key.sql() in places else key.copy() for key in group.expressions
        ]
        done = done or any(isinstance(key, exp.Literal) for key in keys)
        group.set("expressions", keys)
    return done


def distinct_as_groups(query: exp.Query, _: random.Random) -> bool:
    """`select distinct a, b` as `group by a, b`."""
    done = False
    for select in selects(query):
        aggregates = any(each.find(exp.AggFunc, exp.Window) for each in select.selects)
        if select.args.get("distinct") and not select.args.get("group") and not aggregates:
            select.set("distinct", None)
            select.set("group", exp.Group(expressions=[each.unalias().copy() for each in select.selects]))
            done = True
    return done


def order_of_arms(query: exp.Query, _: random.Random) -> bool:
    """Another order of the arms of `union all`."""
    done = False
    for union in list(query.find_all(exp.Union)):
        if union.args.get("distinct") or union.args.get("order") or union.args.get("limit"):
            continue
        left, right = union.left, union.right
        first = right
        while isinstance(first, (exp.Union, exp.Subquery)):
            first = first.this
        if (
            not isinstance(first, exp.Select)
            or len(first.selects) != len(union.named_selects)
            or left.args.get("with_")
        ):
            continue
        names = union.named_selects
        first.set("expressions", [exp.alias_(e.unalias(), n) for e, n in zip(first.selects, names, strict=True)])
        with_ = union.args.get("with_")
        union.set("this", right.copy())
        union.set("expression", left.copy())
        union.set("with_", with_)
        done = True
    return done


def having_as_filter(query: exp.Query, _: random.Random) -> bool:
    """`having` as a filter around the groups."""
    done = False
    for select in selects(query):
        having = select.args.get("having")
        if not having or having.find(exp.Query) or select.args.get("order") or select.args.get("distinct"):
            continue
        if isinstance(select.parent, exp.SetOperation) or any(each.find(exp.Window) for each in select.selects):
            continue
        outputs = [each.alias_or_name for each in select.selects]
        condition = having.this.copy()
        hidden: list[exp.Expr] = []
        place, holder = free_name(query, "grouped"), exp.Paren(this=condition)
        keys = {key.sql() for key in select.args["group"].expressions} if select.args.get("group") else set()
        for part in list(holder.walk()):
            if isinstance(part, exp.AggFunc) or part.sql() in keys:
                hidden.append(exp.alias_(part.copy(), f"hidden_{len(hidden)}"))
                part.replace(exp.column(f"hidden_{len(hidden) - 1}", place))
        if any(column.table != place for column in holder.find_all(exp.Column)):
            continue
        inner = select.copy()
        inner.set("having", None)
        inner.set("with_", None)
        inner.set("limit", None)
        inner.set("expressions", [*inner.expressions, *hidden])
        outer = exp.select(*(exp.column(name, place) for name in outputs)).from_(
            exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(place)))
        )
        outer = outer.where(holder.this)
        outer.set("with_", select.args.get("with_"))
        outer.set("limit", select.args.get("limit"))
        done = _become(select, outer) or done
    return done


def counted_rows(query: exp.Query, _: random.Random) -> bool:
    """`count(*)` as `count(1)`."""
    found = [each for each in query.find_all(exp.Count) if isinstance(each.this, exp.Star)]
    for each in found:
        each.set("this", exp.Literal.number(1))
    return bool(found)


KINDS: dict[str, Rewrite] = {
    each.__name__.replace("_", " "): each
    for each in (
        layout,
        table_aliases,
        cte_names,
        parentheses,
        order_of_conditions,
        turned_comparisons,
        turned_operations,
        between_as_comparisons,
        order_in_lists,
        lists_as_or,
        double_negations,
        de_morgan,
        computed_numbers,
        case_of_a_value,
        exists_for_in,
        conditions_to_on,
        conditions_to_where,
        order_of_joins,
        left_as_right_join,
        subqueries_to_ctes,
        ctes_to_subqueries,
        import_ctes,
        order_of_ctes,
        final_star,
        filters_in_subqueries,
        unused_columns,
        order_of_groups,
        groups_by_position,
        distinct_as_groups,
        order_of_arms,
        having_as_filter,
        counted_rows,
    )
}


def several(query: exp.Query, chance: random.Random) -> Iterator[str]:
    """Three rewrites on top of each other; gives their names."""
    names = list(KINDS)
    chance.shuffle(names)
    done = 0
    for name in names:
        if done < 3 and KINDS[name](query, chance):
            done += 1
            yield name
