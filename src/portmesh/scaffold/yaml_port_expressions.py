"""Plain expressions of a YAML port: parsed with sqlglot, checked, and made into SQL that means the same on each engine.

What stands here is the whole language of expressions. Anything else is refused with the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from portmesh.errors import UsageError, did_you_mean
from portmesh.scaffold import yaml_port_types as types
from portmesh.scaffold.yaml_port import SQL_INSTEAD, problem, unknown
from portmesh.scaffold.yaml_port_printing import (
    Call,
    Case,
    Cast,
    Chain,
    ColumnTerm,
    Extract,
    Followed,
    Jinja,
    Over,
    Prefixed,
    Term,
    TooLongError,
    Word,
    layout,
)
from portmesh.text import text_literal

Resolve = Callable[[str, str], ColumnTerm]
"""Finds a column by its table (empty if the expression names none) and its name, or raises UsageError."""

PLAIN_FUNCTIONS = {
    "abs": (exp.Abs, types.NUMBER, ""), "upper": (exp.Upper, types.TEXT, types.TEXT),
    "lower": (exp.Lower, types.TEXT, types.TEXT), "length": (exp.Length, types.TEXT, types.WHOLE_NUMBER),
    "floor": (exp.Floor, types.NUMBER, types.WHOLE_NUMBER), "ceil": (exp.Ceil, types.NUMBER, types.WHOLE_NUMBER),
}  # fmt: skip
"""Functions of one argument: sqlglot's class, what they take, and what they return (empty: the argument's type)."""

PARTS_OF_A_DATE: dict[type[exp.Expr], str] = {
    exp.Year: "year", exp.Quarter: "quarter", exp.Month: "month", exp.Week: "week", exp.Day: "day", exp.Hour: "hour",
    exp.Minute: "minute",
}  # fmt: skip
PERIODS = ("day", "week", "month", "quarter", "year")
AGGREGATES = ("sum", "min", "max", "avg", "count", "count_if", "any_true", "all_true")
WINDOWS = ("sum", "min", "max", "avg", "count", "row_number", "rank", "dense_rank", "previous", "next")
FUNCTIONS = (
    *PLAIN_FUNCTIONS, "round", "trim", "substring", "replace", "coalesce", "nullif", "greatest", "least", "if",
    *PARTS_OF_A_DATE.values(), "date_trunc", "days_between", "add_days", "add_months",
)  # fmt: skip
NEEDS_ORDER = ("row_number", "rank", "dense_rank", "previous", "next")
RUNNING = "rows between unbounded preceding and current row"

COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}


@dataclass(frozen=True)
class Setting:
    """Where an expression stands: its key in the block, its columns, and which functions over rows it may use.

    `per` and `by` are the key and order of a window; `grouped` are the columns that may stand outside an aggregate.
    """

    key: str
    resolve: Resolve
    over_rows: Sequence[str] = ()
    per: tuple[Term, ...] = ()
    by: tuple[tuple[Term, bool], ...] = ()
    grouped: Sequence[str] | None = None


def read_expression(text: str, setting: Setting) -> Term:
    """The expression of a text. Raises UsageError for what the language does not have."""
    term = _Reader(setting, text).read(_parsed(text, setting.key))
    try:
        layout(term, 12, "", "")
    except TooLongError as error:
        raise problem(setting.key, "A part of this expression does not fit into a line of SQL.", str(error),
                      fix="make it in two steps, with `add` before it") from error  # fmt: skip
    return term


def read_condition(text: str, setting: Setting) -> Term:
    """An expression that is true or false, and says something about a column."""
    term = read_expression(text, setting)
    if term.kind and types.family(term.kind) != types.BOOLEAN:
        raise problem(setting.key, f"This is a {types.family(term.kind)}, not true or false.", text,
                      fix="compare it, such as: " + text + " > 0")  # fmt: skip
    if not _parsed(text, setting.key).find(exp.Column):
        raise problem(setting.key, "This names no column, so it says the same of every row.", text)
    return term


def cast_to(term: Term, wanted: str, key: str) -> Term:
    """A value as the contract's type, with a cast if it may be another one."""
    if reason := types.why_not_cast(term.kind, wanted):
        fix = f"change the expression or the data_type, {SQL_INSTEAD}"
        raise problem(key, reason, f"{term.kind} {term.flat()}", wanted, fix)
    return term if term.kind == wanted else Cast(wanted, term, types.sql_type(wanted))


def _parsed(text: str, key: str) -> exp.Expr:
    for mark in ("{{", "{%", "{#", "}}", "%}", "#}", "\\", "--", "/*", ";"):
        if mark in text:
            raise problem(key, f"An expression cannot contain {mark}", text, fix=f"remove it, {SQL_INSTEAD}")
    try:
        found = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        raise problem(key, "This is not an expression.", text, fix="check brackets, quotes and commas") from error
    return found


def names_in(text: str, key: str) -> set[str]:
    """The columns that an expression names, without their tables."""
    return {column.name.lower() for column in _parsed(text, key).find_all(exp.Column)}


class _Reader:
    def __init__(self, setting: Setting, text: str) -> None:
        self.setting, self.text = setting, text
        self.in_aggregate = False

    def read(self, node: exp.Expr) -> Term:
        if isinstance(node, exp.Paren):
            return self.read(node.this)
        if type(node) in COMPARISONS:
            return self._comparison(node)
        if type(node) in ARITHMETIC:
            return self._arithmetic(node)
        if type(node) in PARTS_OF_A_DATE:
            return self._part(PARTS_OF_A_DATE[type(node)], node)
        for name, (kind, takes, gives) in PLAIN_FUNCTIONS.items():
            if type(node) is kind:
                argument = self._of(node.this, takes, name)
                return Call(gives or _unsized(argument.kind), name, (argument,))
        if type(node) not in READERS:
            raise self._not_there(node)
        return READERS[type(node)](self, node)

    def _refuse(self, message: str, got: str = "", allowed: str = "", fix: str = "") -> UsageError:
        return problem(self.setting.key, message, got or self.text, allowed, fix)

    def _not_there(self, node: exp.Expr) -> UsageError:
        name = (
            node.name if isinstance(node, exp.Anonymous) else node.sql_names()[0] if isinstance(node, exp.Func) else ""
        )
        fix = f"use one of these, {SQL_INSTEAD}"
        if name:
            return unknown(self.setting.key, "function", name.lower(), [*FUNCTIONS, *self.setting.over_rows], fix)
        if isinstance(node, exp.Window):
            return self._refuse(
                "`over` is not part of the language.", fix=f"use a step with window, per and by, {SQL_INSTEAD}"
            )
        if isinstance(node, exp.Query | exp.Subquery | exp.Exists) or node.find(exp.Query):
            return self._refuse("A query inside an expression is not part of the language.",
                                fix=f"prepare it as a table and join it, {SQL_INSTEAD}")  # fmt: skip
        return self._refuse(
            "This is not part of the language of expressions.", node.sql(dialect="duckdb"), fix=SQL_INSTEAD[3:]
        )

    def _of(self, node: exp.Expr, takes: str, what: str) -> Term:
        """An argument, which must be of a family of types."""
        term = self.read(node)
        got = types.family(term.kind)
        if got and takes and got != takes and not (takes == types.DATE and got == types.TIMESTAMP):
            raise self._refuse(f"{what} takes a {takes}, not a {got}.", f"{term.flat()} ({term.kind})", takes)
        return term

    # Columns and literals

    def _column(self, node: exp.Column) -> Term:
        if isinstance(node.this, exp.Star) or node.args.get("db") or node.find(exp.Placeholder):
            raise self._not_there(node)
        name, table = node.name.lower(), node.table.lower()
        term = self.setting.resolve(table, name)
        if self.setting.grouped is not None and not self.in_aggregate and name not in self.setting.grouped:
            raise self._refuse(f"{name} has several values in a group.", allowed=", ".join(AGGREGATES),
                               fix=f"use one of these, such as max({name}), or add {name} to group")  # fmt: skip
        return term

    def _literal(self, node: exp.Literal) -> Term:
        if node.is_string:
            return Word(types.TEXT, text_literal(node.this))
        text = node.this.lower()
        kind = "double" if "e" in text else types.DECIMAL_NUMBER if "." in text else types.WHOLE_NUMBER
        return Word(kind, f"0{text}" if text.startswith(".") else text)

    def _boolean(self, node: exp.Boolean) -> Term:
        return Word("boolean", "true" if node.this else "false")

    def _null(self, _: exp.Null) -> Term:
        return Word("", "null")

    # Operators

    def _and(self, node: exp.And) -> Term:
        return self._chain("and", node)

    def _or(self, node: exp.Or) -> Term:
        return self._chain("or", node)

    def _chain(self, operator: str, node: exp.Expr) -> Term:
        operands = [self._of(each, types.BOOLEAN, f"`{operator}`") for each in node.flatten()]
        return Chain("boolean", operator, tuple(operands))

    def _not(self, node: exp.Not) -> Term:
        of = node.this
        if isinstance(of, exp.Is | exp.In | exp.Between):
            said = self.read(of)
            assert isinstance(said, Followed)
            return replace(
                said, said=said.said.replace("is ", "is not ") if isinstance(of, exp.Is) else "not " + said.said
            )
        return Prefixed("boolean", "not ", self._of(of, types.BOOLEAN, "`not`"))

    def _neg(self, node: exp.Neg) -> Term:
        of = self._of(node.this, types.NUMBER, "`-`")
        return Prefixed(_unsized(of.kind), "-", of)

    def _is(self, node: exp.Is) -> Term:
        if not isinstance(node.expression, exp.Null | exp.Boolean):
            raise self._not_there(node)
        return Followed("boolean", self.read(node.this), f"is {self.read(node.expression).flat()}")

    def _arithmetic(self, node: exp.Expr) -> Term:
        operator = ARITHMETIC[type(node)]
        terms = [self.read(node.this), self.read(node.expression)]
        for term in terms:
            got = types.family(term.kind)
            if got in (types.DATE, types.TIMESTAMP):
                fix = "use days_between(start, end), add_days(date, days) or add_months(date, months)"
                raise self._refuse(f"`{operator}` does not work on a {got}.", f"{term.flat()} ({term.kind})", fix=fix)
            if got and got != types.NUMBER:
                fix = "to join texts, use ||" if operator == "+" and got == types.TEXT else "cast it to a number first"
                raise self._refuse(f"`{operator}` takes numbers, not a {got}.", f"{term.flat()} ({term.kind})", fix=fix)
        return Chain(types.of_arithmetic([term.kind for term in terms]), operator, tuple(terms))

    def _div(self, node: exp.Div) -> Term:
        """A division gives a double, and null if the divisor is 0; engines differ in both."""
        above, below = (self._of(each, types.NUMBER, "`/`") for each in (node.this, node.expression))
        divisor = _as_double(below)
        if not (isinstance(below, Word) and below.text.strip("0.")):
            divisor = Call("double", "nullif", (divisor, Word(types.WHOLE_NUMBER, "0")))
        return Chain("double", "/", (_as_double(above), divisor))

    def _dpipe(self, node: exp.DPipe) -> Term:
        terms = [self.read(each) for each in node.flatten()]
        return Chain(types.TEXT, "||", tuple(_as_text(term, self.setting.key) for term in terms))

    def _comparison(self, node: exp.Expr) -> Term:
        left, right = self._comparable(node.this, node.expression)
        operator = COMPARISONS[type(node)]
        if isinstance(left, Word) and isinstance(right, Word):
            raise self._refuse("This compares two values that are always the same.", node.sql(dialect="duckdb"))
        return Chain("boolean", operator, (left, right))

    def _comparable(self, *nodes: exp.Expr) -> list[Term]:
        """Values that are compared. Texts beside a date become dates."""
        if any(isinstance(node, exp.Null) for node in nodes):
            raise self._refuse("Nothing is equal to null.", fix="write: is null, or: is not null")
        terms = [self.read(node) for node in nodes]
        kinds = {types.family(term.kind) for term in terms}
        if len(kinds & {types.DATE, types.TIMESTAMP}) == 1 and types.TEXT in kinds:
            kind = (kinds & {types.DATE, types.TIMESTAMP}).pop()
            terms = [self._as_time(term, kind) for term in terms]
        if types.common([term.kind for term in terms]) is None:
            got = ", ".join(f"{term.flat()} ({term.kind})" for term in terms)
            raise self._refuse("These cannot be compared, because they are of different types.", got,
                               fix="cast one of them: cast(… as bigint)")  # fmt: skip
        return terms

    def _as_time(self, term: Term, kind: str) -> Term:
        if not isinstance(term, Word) or types.family(term.kind) != types.TEXT:
            return term
        return self._time(term.text.strip("'"), kind)

    def _time(self, text: str, kind: str) -> Term:
        try:
            found = date.fromisoformat(text) if kind == types.DATE else datetime.fromisoformat(text)
        except ValueError as error:
            shape = "2026-12-31" if kind == types.DATE else "2026-12-31 18:00:00"
            raise self._refuse(f"{text!r} is not a {kind}.", text, f"such as '{shape}'") from error
        written = found.isoformat() if kind == types.DATE else f"{found:%Y-%m-%d %H:%M:%S}"
        return Cast(kind, Word(types.TEXT, f"'{written}'"), types.sql_type(kind))

    def _between(self, node: exp.Between) -> Term:
        of, low, high = self._comparable(node.this, node.args["low"], node.args["high"])
        return Followed("boolean", of, "between", (low, high))

    def _in(self, node: exp.In) -> Term:
        if not node.expressions:
            raise self._not_there(node)
        of, *values = self._comparable(node.this, *node.expressions)
        return Followed("boolean", of, "in", tuple(values))

    def _like(self, node: exp.Like) -> Term:
        of = self._of(node.this, types.TEXT, "`like`")
        pattern = self._of(node.expression, types.TEXT, "`like`")
        return Chain("boolean", "not like" if node.args.get("negate") else "like", (of, pattern))

    # Choices

    def _case(self, node: exp.Case) -> Term:
        operand = self.read(node.this) if node.this else None
        whens = []
        for each in node.args["ifs"]:
            if operand:
                _, when = self._comparable(node.this, each.this)
            else:
                when = self._of(each.this, types.BOOLEAN, "`when`")
            whens.append((when, self.read(each.args["true"])))
        default = node.args.get("default")
        return self._choice(whens, self.read(default) if default else None, operand)

    def _if(self, node: exp.If) -> Term:
        when = self._of(node.this, types.BOOLEAN, "`if`")
        otherwise = node.args.get("false")
        return self._choice([(when, self.read(node.args["true"]))], self.read(otherwise) if otherwise else None, None)

    def _choice(self, whens: list[tuple[Term, Term]], otherwise: Term | None, operand: Term | None) -> Term:
        """A case, in the shortest form: sqlfluff refuses a longer one."""
        if otherwise and otherwise.flat() == "null":
            otherwise = None
        values = [then for _, then in whens if then.flat() != "null"] + ([otherwise] if otherwise else [])
        kind = types.common([value.kind for value in values])
        if kind is None:
            got = ", ".join(f"{value.flat()} ({value.kind})" for value in values)
            raise self._refuse("The results of this case are of different types.", got)
        if isinstance(otherwise, Case) and not operand and not otherwise.operand:
            whens, otherwise = [*whens, *otherwise.whens], otherwise.otherwise
        if len(whens) == 1 and not operand:
            (when, then), other = whens[0], otherwise.flat() if otherwise else "null"
            if (then.flat(), other) in (("true", "false"), ("false", "true")):
                found = Call("boolean", "coalesce", (when, Word("boolean", "false")))
                return found if other == "false" else Prefixed("boolean", "not ", found)
            if isinstance(when, Followed) and when.said in ("is null", "is not null"):
                here, there = (then.flat(), other) if when.said == "is null" else (other, then.flat())
                if there == when.of.flat():
                    if here == "null":
                        return when.of
                    instead = then if when.said == "is null" else otherwise
                    assert instead is not None
                    return Call(kind, "coalesce", (when.of, instead))
        return Case(kind, tuple(whens), otherwise, operand)

    def _coalesce(self, node: exp.Coalesce) -> Term:
        return self._one_of("coalesce", [node.this, *node.expressions])

    def _nullif(self, node: exp.Nullif) -> Term:
        left, right = self._comparable(node.this, node.expression)
        return Call(left.kind, "nullif", (left, right))

    def _greatest(self, node: exp.Greatest) -> Term:
        return self._extreme("greatest", node)

    def _least(self, node: exp.Least) -> Term:
        return self._extreme("least", node)

    def _extreme(self, name: str, node: exp.Expr) -> Term:
        """The greatest of the values that are not null; Athena alone would return null if one is."""
        found = self._one_of(name, [node.this, *node.expressions])
        terms = [each for each in found.arguments if each.flat() != "null"]
        if len(terms) == 1:
            return terms[0]
        rotated = [(each, *(other for other in terms if other is not each)) for each in terms]
        return replace(
            found,
            arguments=tuple(
                each[0] if isinstance(each[0], Word) else Call(found.kind, "coalesce", each) for each in rotated
            ),
        )

    def _one_of(self, name: str, nodes: Sequence[exp.Expr]) -> Call:
        if len(nodes) < 2:
            raise self._refuse(f"{name} needs at least two values.", fix="separate them by a comma")
        terms = [self.read(node) for node in nodes]
        kinds = {types.family(term.kind) for term in terms}
        for kind in kinds & {types.DATE, types.TIMESTAMP}:
            terms = [self._as_time(term, kind) for term in terms]
        found = types.common([term.kind for term in terms if term.flat() != "null"])
        if found is None:
            got = ", ".join(f"{term.flat()} ({term.kind})" for term in terms)
            raise self._refuse(f"The values of {name} are of different types.", got)
        return Call(found, name, tuple(terms))

    # Text and numbers

    def _cast(self, node: exp.Cast) -> Term:
        written = node.to.sql(dialect="duckdb").replace("TEXT", "string")
        wanted = types.contract_type(written)
        if not wanted:
            raise unknown(self.setting.key, "type", written.lower(), types.CONTRACT_TYPES)
        if isinstance(node.this, exp.Literal) and node.this.is_string and wanted in (types.DATE, types.TIMESTAMP):
            return self._time(node.this.this, wanted)
        term = self.read(node.this)
        if reason := types.why_not_cast(term.kind, wanted):
            raise self._refuse(reason, f"{term.flat()} ({term.kind})")
        return term if term.kind == wanted else Cast(wanted, term, types.sql_type(wanted))

    def _round(self, node: exp.Round) -> Term:
        of = self._of(node.this, types.NUMBER, "round")
        digits = node.args.get("decimals")
        if digits is None:
            return Call(types.WHOLE_NUMBER, "round", (of,))
        return Call(_unsized(of.kind), "round", (of, self._whole(digits, "round")))

    def _whole(self, node: exp.Expr, what: str) -> Term:
        term = self.read(node)
        if term.kind and not types.is_whole(term.kind):
            raise self._refuse(f"{what} takes a whole number here.", f"{term.flat()} ({term.kind})")
        return term

    def _trim(self, node: exp.Trim) -> Term:
        if node.expression or node.args.get("position"):
            raise self._not_there(node)
        return Call(types.TEXT, "trim", (self._of(node.this, types.TEXT, "trim"),))

    def _substring(self, node: exp.Substring) -> Term:
        of = self._of(node.this, types.TEXT, "substring")
        numbers = [self._whole(each, "substring") for key in ("start", "length") if (each := node.args.get(key))]
        if any(not isinstance(each, Word) or each.text == "0" for each in numbers[:1]):
            raise self._refuse("substring counts from 1: its start must be a number above 0.")
        return Call(types.TEXT, "substring", (of, *numbers))

    def _replace(self, node: exp.Replace) -> Term:
        nodes = (node.this, node.expression, node.args.get("replacement") or exp.Literal.string(""))
        return Call(types.TEXT, "replace", tuple(self._of(each, types.TEXT, "replace") for each in nodes))

    # Dates

    def _part(self, part: str, node: exp.Expr) -> Term:
        of = self._of(node.this, types.DATE, part)
        if part in ("hour", "minute") and of.kind == types.DATE:
            raise self._refuse(f"A date has no {part}.", f"{of.flat()} ({of.kind})", types.TIMESTAMP)
        return Extract(types.WHOLE_NUMBER, part, of)

    def _timestamptrunc(self, node: exp.TimestampTrunc | exp.DateTrunc) -> Term:
        unit = str(node.args["unit"].name).lower()
        if unit not in PERIODS:
            raise unknown(self.setting.key, "period", unit, PERIODS)
        of = self._of(node.this, types.DATE, "date_trunc")
        return Cast(types.DATE, Jinja("", "dbt.date_trunc", (unit, of)), "date")

    def _anonymous(self, node: exp.Anonymous) -> Term:
        name, arguments = node.name.lower(), node.expressions
        if name in ("previous", "next"):
            return self._over_rows(name, arguments)
        if name in ("any_true", "all_true"):
            return self._aggregate(name, arguments)
        wants = {"days_between": 2, "add_days": 2}.get(name)
        if wants is None:
            raise self._not_there(node)
        if len(arguments) != wants:
            raise self._refuse(f"{name} takes {wants} values, not {len(arguments)}.")
        if name == "days_between":
            dates = tuple(self._date(each, name) for each in arguments)
            return Jinja(types.WHOLE_NUMBER, "dbt.datediff", (*dates, "day"))
        return self._added("day", *arguments)

    def _addmonths(self, node: exp.AddMonths) -> Term:
        return self._added("month", node.this, node.expression)

    def _added(self, unit: str, of: exp.Expr, number: exp.Expr) -> Term:
        added = Jinja("", "dbt.dateadd", (unit, self._whole(number, f"add_{unit}s"), self._date(of, f"add_{unit}s")))
        return Cast(types.DATE, added, "date")

    def _date(self, node: exp.Expr, what: str) -> Term:
        term = self._as_time(self.read(node), types.DATE)
        if term.kind == types.TIMESTAMP:
            return Cast(types.DATE, term, "date")
        if term.kind and types.family(term.kind) != types.DATE:
            raise self._refuse(f"{what} takes a date.", f"{term.flat()} ({term.kind})", types.DATE)
        return term

    # Several rows

    def _sum(self, node: exp.Sum) -> Term:
        return self._aggregate("sum", [node.this])

    def _min(self, node: exp.Min) -> Term:
        return self._aggregate("min", [node.this, *node.expressions])

    def _max(self, node: exp.Max) -> Term:
        return self._aggregate("max", [node.this, *node.expressions])

    def _avg(self, node: exp.Avg) -> Term:
        return self._aggregate("avg", [node.this])

    def _count(self, node: exp.Count) -> Term:
        return self._aggregate("count", [node.this, *node.expressions] if node.this else [])

    def _countif(self, node: exp.CountIf) -> Term:
        return self._aggregate("count_if", [node.this])

    def _rownumber(self, _: exp.RowNumber) -> Term:
        return self._over_rows("row_number", [])

    def _rank(self, _: exp.Rank) -> Term:
        return self._over_rows("rank", [])

    def _denserank(self, _: exp.DenseRank) -> Term:
        return self._over_rows("dense_rank", [])

    def _over_rows(self, name: str, arguments: Sequence[exp.Expr]) -> Term:
        """A function of a window that looks at neighbours or counts."""
        if name not in self.setting.over_rows:
            raise self._refuse(
                f"{name} looks at several rows: it may only stand in window.", fix="use a step with window"
            )
        if not self.setting.by:
            raise self._refuse(f"{name} needs an order.", fix="add `by:` to the step")
        if len(arguments) != (name in ("previous", "next")):
            raise self._refuse(f"{name} takes {int(name in ('previous', 'next'))} values, not {len(arguments)}.")
        terms = tuple(self.read(each) for each in arguments)
        function = {"previous": "lag", "next": "lead"}.get(name, name)
        call = Call(terms[0].kind if terms else types.WHOLE_NUMBER, function, terms)
        return Over(call.kind, call, self.setting.per, self.setting.by, "")

    def _aggregate(self, name: str, arguments: Sequence[exp.Expr]) -> Term:
        if name not in self.setting.over_rows:
            allowed = " or ".join(w for w, names in (("group", AGGREGATES), ("window", WINDOWS)) if name in names)
            raise self._refuse(
                f"{name} looks at several rows: it may only stand in {allowed}.", fix=f"use a step with {allowed}"
            )
        if self.in_aggregate:
            raise self._refuse(f"{name} stands inside another function over rows.", fix="make it in two steps")
        if len(arguments) > 1 or not (arguments or name == "count"):
            raise self._refuse(f"{name} takes one value, not {len(arguments)}.")
        self.in_aggregate = True
        call = self._aggregated(name, arguments[0] if arguments else exp.Star())
        self.in_aggregate = False
        if self.setting.grouped is not None:
            return call
        return Over(call.kind, call, self.setting.per, self.setting.by, RUNNING if self.setting.by else "")

    def _aggregated(self, name: str, of: exp.Expr) -> Term:
        if isinstance(of, exp.Star):
            return Call(types.WHOLE_NUMBER, "count", (Word("", "*"),))
        if name == "count":
            distinct = isinstance(of, exp.Distinct)
            if distinct and (len(of.expressions) != 1 or self.setting.grouped is None):
                raise self._refuse("`distinct` takes one column, and only in group.", fix=SQL_INSTEAD[3:])
            term = self.read(of.expressions[0] if distinct else of)
            if isinstance(term, Word):
                return Call(types.WHOLE_NUMBER, "count", (Word("", "*"),))
            return Call(types.WHOLE_NUMBER, "count", (term,), "distinct " if distinct else "")
        if name in ("count_if", "any_true", "all_true"):
            return _of_conditions(name, self._of(of, types.BOOLEAN, name))
        takes = types.NUMBER if name in ("sum", "avg") else ""
        term = self._of(of, takes, name)
        if name in ("min", "max") and types.family(term.kind) == types.BOOLEAN:
            raise self._refuse(
                f"{name} does not work on true or false.", fix=f"use {'any' if name == 'max' else 'all'}_true"
            )
        if name == "avg":
            return Call("double", "avg", (_as_double(term),))
        kind = term.kind if name != "sum" else _unsized(term.kind)
        return Call(kind, name, (term,))


READERS: dict[type[exp.Expr], Callable[[_Reader, Any], Term]] = {
    exp.Column: _Reader._column,
    exp.Literal: _Reader._literal,
    exp.Boolean: _Reader._boolean,
    exp.Null: _Reader._null,
    exp.And: _Reader._and,
    exp.Or: _Reader._or,
    exp.Not: _Reader._not,
    exp.Neg: _Reader._neg,
    exp.Is: _Reader._is,
    exp.Div: _Reader._div,
    exp.DPipe: _Reader._dpipe,
    exp.Between: _Reader._between,
    exp.In: _Reader._in,
    exp.Like: _Reader._like,
    exp.Case: _Reader._case,
    exp.If: _Reader._if,
    exp.Coalesce: _Reader._coalesce,
    exp.Nullif: _Reader._nullif,
    exp.Greatest: _Reader._greatest,
    exp.Least: _Reader._least,
    exp.Cast: _Reader._cast,
    exp.Round: _Reader._round,
    exp.Trim: _Reader._trim,
    exp.Substring: _Reader._substring,
    exp.Replace: _Reader._replace,
    exp.TimestampTrunc: _Reader._timestamptrunc,
    exp.Anonymous: _Reader._anonymous,
    exp.AddMonths: _Reader._addmonths,
    exp.Sum: _Reader._sum,
    exp.Min: _Reader._min,
    exp.Max: _Reader._max,
    exp.Avg: _Reader._avg,
    exp.Count: _Reader._count,
    exp.CountIf: _Reader._countif,
    exp.RowNumber: _Reader._rownumber,
    exp.Rank: _Reader._rank,
    exp.DenseRank: _Reader._denserank,
}
"""How each kind of expression that is not in a table above is read."""


def _of_conditions(name: str, condition: Term) -> Term:
    one, none = Word(types.WHOLE_NUMBER, "1"), Word(types.WHOLE_NUMBER, "0")
    flag = Case(types.WHOLE_NUMBER, ((condition, one),), none)
    if name == "count_if":
        return Call(types.WHOLE_NUMBER, "sum", (flag,))
    # A condition that is null counts as false.
    least = Call(types.WHOLE_NUMBER, "max" if name == "any_true" else "min", (flag,))
    return Chain("boolean", "=", (least, one))


def _unsized(kind: str) -> str:
    """The type of a result that may be larger than what it was computed from."""
    if not kind or kind == "double":
        return kind
    return types.WHOLE_NUMBER if types.is_whole(kind) else types.DECIMAL_NUMBER


def _as_double(term: Term) -> Term:
    return term if term.kind == "double" else Cast("double", term, "double")


def _as_text(term: Term, key: str) -> Term:
    if types.family(term.kind) == types.TEXT:
        return term
    if reason := types.why_not_cast(term.kind, "string"):
        raise problem(key, reason, f"{term.flat()} ({term.kind})")
    return Cast("string", term, types.sql_type("string"))


def read_order(text: str, key: str, resolve: Resolve) -> tuple[ColumnTerm, bool]:
    """A part of an order: a column, and whether its highest values come first (`desc`)."""
    column, _, direction = text.strip().lower().partition(" ")
    direction = direction.strip()
    if direction not in ("", "asc", "desc"):
        said = did_you_mean(direction, ["asc", "desc"], cutoff=0.6)
        raise problem(
            key, f"This is not an order.{said}", text, "a column, then asc or desc", "compute it with `add` first"
        )
    table, _, name = column.rpartition(".")
    return resolve(table, name), direction == "desc"
