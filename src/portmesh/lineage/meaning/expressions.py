"""What an expression or a query of SQL is, as sqlglot has it: an aggregate, volatile, one to one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

# Functions of a row that sqlglot 30.30 does not know, and that always give the same for the same arguments.
DETERMINISTIC = frozenset(["timezone", "hash", "xxhash64", "crc32", "bit_count", "struct_extract", "regexp_full_match"])
UNNESTING = (exp.UDTF, exp.Explode, exp.Inline, exp.Unnest, exp.GenerateSeries, exp.ExplodingGenerateSeries)
VOLATILE = (exp.Rand, exp.Randn, exp.Randstr, exp.Uniform, exp.Shuffle, exp.Uuid, exp.TableSample)
WIDTHS = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.INT128)
WHOLE_NUMBERS = frozenset(WIDTHS)
TEXTS = frozenset([exp.DType.TEXT, exp.DType.VARCHAR])
COMPARED_AS_THEY_ARE = frozenset(
    [exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.BOOLEAN, exp.DType.UUID, exp.DType.DECIMAL]
)


def within_select(expression: exp.Expr) -> Iterable[exp.Expr]:
    return expression.walk(prune=lambda each: isinstance(each, exp.Query) and each is not expression)


def is_aggregate(expression: exp.Expr) -> bool:
    while isinstance(expression, (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)):
        expression = expression.this
    return isinstance(expression, exp.AggFunc)


def has_window(expression: exp.Expr) -> bool:
    return any(isinstance(each, exp.Window) for each in within_select(expression))


def has_aggregate(expression: exp.Expr) -> bool:
    """Whether it has an aggregate that is not itself a window: `sum(sum(x)) over ()` has one."""

    def of_window(each: exp.Expr) -> bool:
        while isinstance(each.parent, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)):
            each = each.parent
        return isinstance(each.parent, exp.Window) and each.arg_key == "this"

    return any(isinstance(each, exp.AggFunc) and not of_window(each) for each in within_select(expression))


def is_volatile(e: exp.Expr) -> bool:
    """Whether it may give another value each time; of functions that sqlglot does not know, that is assumed."""
    if isinstance(e, exp.Anonymous):
        return not isinstance(e.parent, exp.Table) and e.name.lower() not in DETERMINISTIC
    return isinstance(e, VOLATILE)


def is_whole_row(e: exp.Expr) -> bool:
    """Whether it is all columns of a table as one value: `hash(t)`, `xxhash64(t.*)`."""
    is_star = isinstance(e, exp.Column) and e.is_star and not isinstance(e.parent, exp.Select)
    return is_star or isinstance(e, exp.TableColumn)


def is_column_of(e: exp.Expr, table: str, name: str) -> bool:
    return isinstance(e, exp.Column) and (e.table.lower(), e.name.lower()) == (table, name)


def spelled_out(ordered: exp.Expr, projections: Mapping[str, exp.Expr]) -> exp.Expr:
    """An order with expressions instead of the columns of the output that are in its expression."""
    if isinstance(ordered.this, exp.Column):
        return ordered

    def replaced(each: exp.Expr) -> exp.Expr:
        if isinstance(each, exp.Column) and not each.table and each.name.lower() in projections:
            return exp.paren(projections[each.name.lower()].unalias().copy())
        return each

    return ordered.transform(replaced)


def counts_rows(count: exp.Count) -> bool:
    this = count.this
    return isinstance(this, (exp.Star, exp.Literal)) and not count.expressions


def alias_columns(source: exp.Expr) -> list[exp.Expr]:
    alias = source.args.get("alias")
    return list(alias.args.get("columns") or ()) if isinstance(alias, exp.TableAlias) else []


def decides_rows(select: exp.Select) -> bool:
    """Whether what a select selects can decide how many rows there are."""
    parts = ("group", "having", "distinct", "qualify", "limit", "offset", "windows", "kind")
    kinds = (exp.AggFunc, exp.Anonymous, *UNNESTING)
    return any(select.args.get(part) for part in parts) or any(
        isinstance(each, kinds) for projection in select.expressions for each in within_select(projection)
    )


def is_uncast(e: exp.EQ | exp.NEQ) -> bool:
    """Whether both sides are compared as they are. `text = number` casts one, and then two texts can be one number."""
    one, other = e.this.type, e.expression.type
    if one is None or other is None:
        return False
    if one.this in WHOLE_NUMBERS or one.this in TEXTS:
        return other.this in (WHOLE_NUMBERS if one.this in WHOLE_NUMBERS else TEXTS)
    return one == other and one.this in COMPARED_AS_THEY_ARE


def one_to_one(e: exp.Expr) -> str:
    """The part of an expression that has another value if and only if the expression has; empty if there is none."""
    if isinstance(e, (exp.Cast, exp.TryCast)):
        to, of = e.to.this, e.this.type.this if e.this.type else None
        is_wider = of in WIDTHS and to in WIDTHS and WIDTHS.index(of) <= WIDTHS.index(to)
        return "this" if is_wider or (of in WHOLE_NUMBERS and to in TEXTS and not e.to.expressions) else ""
    if not isinstance(e, (exp.DPipe, exp.Add, exp.Sub)):
        return ""
    for part, other in (("this", e.expression), ("expression", e.this)):
        type_ = e.args[part].type
        if type_ is None or not isinstance(other, exp.Literal) or isinstance(e.args[part], exp.Literal):
            continue
        if isinstance(e, exp.DPipe):
            return part if other.is_string and type_.this in TEXTS else ""
        if (
            other.is_int
            and type_.this in (*WHOLE_NUMBERS, exp.DType.DATE)
            and (part == "this" or isinstance(e, exp.Add))
        ):
            return part
    return ""


def are_of_like_types(query: exp.SetOperation) -> bool:
    """Whether each column has one kind of type in all arms, so that it does not matter when a value is cast."""
    arms = [each for each in query.find_all(exp.Select) if _is_arm(each, query)]
    for column in zip(*(arm.selects for arm in arms), strict=False):
        kinds = {_kind(each) for each in column} - {"null"}
        if len(kinds) > 1 or "unknown" in kinds:
            return False
    return True


def _is_arm(select: exp.Expr, query: exp.Expr) -> bool:
    while select is not query:
        parent = select.parent
        if not isinstance(parent, (exp.SetOperation, exp.Subquery)) or select.arg_key not in ("this", "expression"):
            return False
        select = parent
    return True


def _kind(e: exp.Expr) -> str:
    type_ = e.type
    if type_ is None or type_.this in (exp.DType.UNKNOWN,):
        return "null" if isinstance(e.unalias(), exp.Null) else "unknown"
    if type_.this is exp.DType.NULL:
        return "null"
    if type_.this in exp.DataType.INTEGER_TYPES or type_.this is exp.DType.DECIMAL:
        return "exact number"
    if type_.this in exp.DataType.TEXT_TYPES:
        return "text"
    return str(type_.sql())
