"""Types of a contract in the words of other systems, and the other way round."""

from __future__ import annotations

import re

LOGICAL = {
    "string": "string",
    "boolean": "boolean",
    "tinyint": "integer",
    "smallint": "integer",
    "int": "integer",
    "bigint": "integer",
    "double": "number",
    "decimal": "number",
    "date": "date",
    "timestamp": "timestamp",
}
"""ODCS' logical type of each type of a contract."""
PHYSICAL = {
    "string": "string text char character varchar nvarchar nchar bpchar uuid clob character_varying",
    "boolean": "boolean bool bit",
    "tinyint": "tinyint int8",
    "smallint": "smallint int16 int2",
    "int": "int integer int32 int4 serial",
    "bigint": "bigint int64 long bigserial",
    "double": "double float float64 real float32 double_precision",
    "date": "date",
    "timestamp": "timestamp datetime timestamptz timestamp_ntz timestamp_tz timestamp_ltz datetime2",
}
"""Names of types in other systems, which mean a type of a contract."""
BY_NAME = {name: type_ for type_, names in PHYSICAL.items() for name in names.split()}
BY_LOGICAL = {"string": "string", "boolean": "boolean", "integer": "bigint", "number": "double"} | {
    "date": "date",
    "timestamp": "timestamp",
}


def logical_type(data_type: str) -> str:
    """ODCS' logical type; empty for a type that is no type of a contract."""
    return LOGICAL.get(data_type.partition("(")[0].strip().lower(), "")


def data_type(logical: str, physical: str) -> str:
    """The contract's type for a logical and a physical type of ODCS; empty if there is none."""
    name, _, size = physical.strip().lower().rstrip(")").partition("(")
    name = re.sub(r"\s+(without|with) time zone$", "", name.strip()).replace(" ", "_")
    if name in ("decimal", "numeric", "number") and re.fullmatch(r"\d+(\s*,\s*\d+)?", size):
        digits, _, scale = size.partition(",")
        return f"decimal({digits.strip()},{scale.strip() or 0})" if int(digits) <= 38 else ""
    return BY_NAME.get(name, "") if name in BY_NAME else BY_LOGICAL.get(logical, "")
