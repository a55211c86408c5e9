"""SQL whose columns only the database knows, because it looks at names or types that are not written."""

from __future__ import annotations

from sqlglot import exp

from portmesh.lineage.sql_of_node import UnreadableError

UNNESTING = (exp.Explode, exp.Unnest, exp.Posexplode, exp.Inline, exp.Stack)
"""Functions that make several rows of one."""
UNNESTING_BY_NAME = {
    "unnest", "explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer", "stack",
    "json_tuple", "generate_subscripts", "regexp_split_to_table",
}  # fmt: skip
REFUSED: dict[type[exp.Expr], str] = {
    exp.Columns: "it chooses columns with `columns(…)`",
    exp.PositionalColumn: "it names a column by its position",
    exp.QueryTransform: "it sends rows to a script",
    exp.MatchRecognize: "it has match_recognize",
}


def refuse_unwritten_columns(query: exp.Query) -> None:
    """Raises UnreadableError if the query has something of this kind. The query is as it was parsed."""
    for node in query.walk():
        for kind, reason in REFUSED.items():
            if isinstance(node, kind):
                raise UnreadableError(reason)
        if isinstance(node, exp.Star) and isinstance(node.parent, exp.Binary):
            raise UnreadableError("it chooses the columns of `*` by their names")
        if unnests(node):
            _refuse_fields(node)


def unnests(node: exp.Expr) -> bool:
    """Whether an expression makes several rows of one."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in UNNESTING_BY_NAME
    return isinstance(node, UNNESTING)


def _refuse_fields(function: exp.Expr) -> None:
    """A function that makes rows may make a column of each field of a struct."""
    if any(isinstance(each, exp.PropertyEQ) and each.name.lower() == "recursive" for each in function.expressions):
        raise UnreadableError("it unnests structs at any depth")
    if isinstance(function.parent, exp.Select) and function.arg_key == "expressions":
        around = function.parent.parent
        while isinstance(around, exp.Subquery):
            around = around.parent
        if not isinstance(around, exp.In | exp.Exists):
            raise UnreadableError(f"the columns that {function.sql()} makes have no names")


def output_names(projection: exp.Expr) -> list[str]:
    """The names of the columns that an expression of a select gives: `explode(m) as (k, v)` gives two."""
    if isinstance(projection, exp.Aliases):
        return [name.name for name in projection.expressions]
    return [projection.alias_or_name]
