"""A port's columns from a source's: their names by the mesh's conventions, their types, and their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import duckdb

from portmesh.scaffold.column_names import first_unused, is_id, singular
from portmesh.scaffold.profile import ROWS, columns_of
from portmesh.scaffold.rendering import assert_text
from portmesh.scaffold.snake_case import sql_name
from portmesh.text import quoted

STRING, TIMESTAMP = "{{ dbt.type_string() }}", "{{ dbt.type_timestamp() }}"
TYPES = {
    **dict.fromkeys(["VARCHAR", "UUID"], ("string", STRING)),
    "BOOLEAN": ("boolean", "boolean"),
    "TINYINT": ("tinyint", "tinyint"),
    **dict.fromkeys(["SMALLINT", "UTINYINT"], ("smallint", "smallint")),
    **dict.fromkeys(["INTEGER", "USMALLINT"], ("int", "int")),
    **dict.fromkeys(["BIGINT", "UINTEGER"], ("bigint", "bigint")),
    "UBIGINT": ("decimal(20,0)", "decimal(20, 0)"),
    **dict.fromkeys(["HUGEINT", "UHUGEINT"], ("decimal(38,0)", "decimal(38, 0)")),
    **dict.fromkeys(["FLOAT", "DOUBLE"], ("double", "double")),
    "DATE": ("date", "date"),
    **dict.fromkeys(
        ["TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"],
        ("timestamp", TIMESTAMP),
    ),
}
"""For a DuckDB type: the contract's type, and the type in a model's cast."""

DUCKDB_NAMES = {"string": "varchar", "int": "integer"}

OF_LANDING = ("_batch_id", "_landed_at")
GROUPS = ("ids", "attributes", "measures", "times", "landing")


@dataclass(frozen=True)
class PortColumn:
    """A column of the port: what the source calls it, and its types in the contract and in a cast."""

    source: str
    name: str
    data_type: str
    cast_type: str
    group: str = ""

    @property
    def from_source(self) -> str:
        """The source's column in SQL."""
        plain = self.source.lower()
        is_plain = re.fullmatch(r"[a-z_][a-z0-9_]*", plain) and plain not in _reserved()
        return plain if is_plain else quoted(self.source)


def shape_rows(
    connection: duckdb.DuckDBPyConnection, port: str, renamed: Mapping[str, str]
) -> tuple[list[PortColumn], list[str]]:
    """Rename and cast the columns of the copied rows as the staging model will.

    `renamed` has names that were chosen, by the source's. Returns the columns, in the source's order, and the columns
    that are left out because a port has no such type.
    """
    found: list[PortColumn] = []
    left_out: list[str] = []
    types = columns_of(connection)
    for source, type_ in types.items():
        assert_text(source)
        contract, cast = _types_of(type_)
        if not contract:
            left_out.append(source)
            connection.execute(f"alter table {ROWS} drop column {quoted(source)}")
            continue
        if contract == "timestamp" and not source.startswith("_") and _is_days(connection, source):
            contract, cast = "date", "date"
        used = [column.name for column in found]
        name = renamed.get(source) or first_unused(conventional_name(source, contract, port), used)
        found.append(PortColumn(source, name, contract, cast))
    # Two steps, because a new name may be the old name of another column.
    for place, column in enumerate(found):
        connection.execute(f"alter table {ROWS} rename column {quoted(column.source)} to shaped__{place}")
    for place, column in enumerate(found):
        connection.execute(f"alter table {ROWS} rename column shaped__{place} to {quoted(column.name)}")
        wanted = DUCKDB_NAMES.get(column.data_type, column.data_type)
        if columns_of(connection)[column.name].lower() != wanted:
            connection.execute(f"alter table {ROWS} alter column {quoted(column.name)} type {wanted}")
    return found, left_out


def _types_of(type_: str) -> tuple[str, str]:
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", type_):
        return f"decimal({found[1]},{found[2]})", f"decimal({found[1]}, {found[2]})"
    return TYPES.get(type_, ("", ""))


def _is_days(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether all times of a column are at midnight, so that it holds days."""
    column = quoted(name)
    days = f"count({column}), count(*) filter (where cast({column} as date) <> {column})"
    filled, others = connection.execute(f"select {days} from {ROWS}").fetchall()[0]
    return bool(filled) and not others


WHEN = ("timestamp", "datetime", "date", "time", "day", "ts", "dt", "on", "at")


def conventional_name(source: str, data_type: str, port: str) -> str:
    """A column's name by the conventions: `is_`, `_at` and `_date` say the type, and no word of SQL stands alone."""
    thing = singular(port)
    name = ("_" if source.startswith("_") else "") + sql_name(source)
    if source in OF_LANDING:
        return source
    parts = name.split("_")
    if data_type == "boolean":
        name = name if parts[0] in ("is", "has") else f"is_{name}"
    elif data_type in ("timestamp", "date"):
        ending = "at" if data_type == "timestamp" else "date"
        if parts[-1] != ending:
            rest = parts[:-1] if parts[-1] in WHEN else parts
            name = "_".join([*(rest or [thing]), ending])
    elif parts[0] in ("is", "has") and len(parts) > 1:
        name = "_".join([*parts[1:], "flag"])
    elif parts[-1] in ("at", "date") and len(parts) > 1:
        name = f"{name}_{'text' if data_type == 'string' else 'number'}"
    return f"{thing}_{name}" if name in keywords() else name


def in_groups(columns: Sequence[PortColumn], identifying: Iterable[str]) -> list[list[PortColumn]]:
    """The columns in the order of a port: what identifies, describes, was measured, when, and how it landed."""
    ids = set(identifying)

    def group(column: PortColumn) -> str:
        if column.name in OF_LANDING:
            return "landing"
        if column.name in ids or (is_id(column.name) and column.data_type != "double"):
            return "ids"
        if column.data_type in ("date", "timestamp"):
            return "times"
        return "attributes" if column.data_type in ("string", "boolean") else "measures"

    grouped: dict[str, list[PortColumn]] = {name: [] for name in GROUPS}
    for column in columns:
        grouped[group(column)].append(column)
    return [each for each in grouped.values() if each]


@cache
def keywords() -> frozenset[str]:
    """Words that SQL or its linter reads as something else than a name (tests/test_new_port.py compares them)."""
    words = resources.files("portmesh.scaffold").joinpath("keywords.txt").read_text(encoding="utf-8")
    return frozenset(words.split()) - {"week"}


@cache
def _reserved() -> frozenset[str]:
    """Words that some engine reads as a name only in quotes."""
    with duckdb.connect() as database:
        rows = database.execute("select keyword_name, keyword_category from duckdb_keywords()").fetchall()
    return frozenset(word for word, kind in rows if kind != "unreserved")
