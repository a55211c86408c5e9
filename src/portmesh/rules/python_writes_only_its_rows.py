"""PM213: what the code of a Python model writes beside the rows that it returns is audited by nobody."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from portmesh.lineage.sql_of_node import is_python
from portmesh.rules.checked_mesh import CheckedMesh, label
from portmesh.rules.finding import Finding

WRITERS = frozenset(
    ("writeTo", "writeStream", "saveAsTable", "insertInto", "to_table", "to_delta", "to_spark_io", "to_sql")
)
"""What writes a table or starts to: methods of frames of Spark, of pandas on Spark and of pandas."""
WRITER = "write"
"""The same, as a property: files and other things have a method of this name."""
STATEMENTS = (
    *(exp.Insert, exp.Create, exp.Drop, exp.Alter, exp.Delete, exp.Update, exp.Merge, exp.TruncateTable, exp.LoadData),
)
FIX = "Return the rows from model(), or make them a model of their own"


def python_writes_only_its_rows(mesh: CheckedMesh) -> Iterator[Finding]:
    for node in filter(is_python, mesh.of_domains("model")):
        file = mesh.file_of(node)
        for what in dict.fromkeys(_writes(node.get("raw_code") or "")):
            said = f"The model {label(node)} writes beside the rows that it returns: {what}."
            yield Finding("PM213", file, mesh.line_of(file, what), said, FIX, node["unique_id"], what)


def _writes(code: str) -> Iterator[str]:
    """What of the code writes, as it stands there. Code that cannot be parsed is for PM211."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return
    called = {id(each.func) for each in ast.walk(tree) if isinstance(each, ast.Call)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Attribute) and (
            each.attr in WRITERS or (each.attr == WRITER and id(each) not in called)
        ):
            yield f".{each.attr}"
        elif isinstance(each, ast.Constant | ast.JoinedStr) and (statement := _statement(_text(each))):
            yield statement


def _text(found: ast.Constant | ast.JoinedStr) -> str:
    """A text, with a name in the place of each value that is put into it."""
    if isinstance(found, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "x" for part in found.values)
    return found.value if isinstance(found.value, str) else ""


def _statement(text: str) -> str:
    """The first words of a statement that writes; empty for any other text. A temporary view is no table."""
    if len(text.split()) < 3:
        return ""
    try:
        statements = sqlglot.parse(text, dialect="spark")
    except (SqlglotError, RecursionError):
        return ""
    writes = any(isinstance(each, STATEMENTS) and not each.find(exp.TemporaryProperty) for each in statements)
    return " ".join(text.split()[:3]) if writes else ""
