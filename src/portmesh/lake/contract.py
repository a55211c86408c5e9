"""What a source's YAML says about its files: how they are written, and which columns of which type they have."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from portmesh.errors import UsageError, did_you_mean

STAMPS = ("_batch_id", "_landed_at")
"""The columns that each landed row gets. A source's YAML may describe them, but no file has them."""
SIMPLE_TYPES = {
    "string": pa.string(), "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(),
    "bigint": pa.int64(), "double": pa.float64(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
}  # fmt: skip
TYPE_NAMES = "string, boolean, tinyint, smallint, int, bigint, double, decimal(p,s), date, timestamp"
MOST_DIGITS = 38


class LandingContract(BaseModel):
    """`config.meta.landing` of a source or of its table: how the files are written, and what is done with bad ones."""

    # A table states only what differs from its source, so the schema for editors requires nothing.
    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=lambda schema: schema.pop("required", None)
    )

    format: Annotated[
        Literal["csv", "json", "parquet"],
        Field(description="The format of the files. `json` is one object a line, or one array of objects."),
    ]
    delimiter: Annotated[str, Field(min_length=1, max_length=1, description="What separates the values of a row.")] = (
        ","
    )
    encoding: Annotated[str, Field(description="How the text is encoded, by its name in Python: `latin-1`.")] = "utf-8"
    decimal: Annotated[Literal[".", ","], Field(description="The decimal point of numbers.")] = "."
    thousands: Annotated[Literal["", ".", ",", " ", "'"], Field(description="What separates thousands.")] = ""
    currency: Annotated[
        str, Field(pattern="^[^0-9.,' +-]*$", description="What may stand before or behind a number: `€`, `EUR`.")
    ] = ""
    dates: Annotated[list[str], Field(description="Formats of dates: `%d.%m.%Y`. Default: `2026-11-23`.")] = []
    timestamps: Annotated[
        list[str],
        Field(description="Formats of timestamps. Default: `2026-11-23 06:00:00`. A time without offset is in UTC."),
    ] = []
    nulls: Annotated[
        list[str] | None, Field(description="Texts that mean: no value. Default: an empty text in CSV; else none.")
    ] = None
    true_values: Annotated[
        list[str], Field(min_length=1, description="Texts that mean true, in any case. Default: true, 1.")
    ] = ["true", "1"]
    false_values: Annotated[
        list[str], Field(min_length=1, description="Texts that mean false, in any case. Default: false, 0.")
    ] = ["false", "0"]
    header: Annotated[
        bool, Field(description="Whether the first row names the columns. Without it, the YAML's order counts.")
    ] = True
    quote: Annotated[str, Field(max_length=1, description="What encloses a value; empty if nothing does.")] = '"'
    skip_rows: Annotated[int, Field(ge=0, description="Lines before the header, which are not read.")] = 0
    new_columns: Annotated[
        Literal["refuse", "ignore"], Field(description="What happens if a file has a column that is not in the YAML.")
    ] = "refuse"
    missing_columns: Annotated[
        Literal["refuse", "null"], Field(description="What happens if a file lacks a column: refused, or no values.")
    ] = "refuse"
    bad_rows: Annotated[
        Literal["refuse", "set_aside"],
        Field(description="What happens with rows that cannot be read: no batch, or a batch without these rows."),
    ] = "refuse"
    key: Annotated[
        list[str], Field(description="Columns that identify a row: none is empty, no two rows of a batch are the same.")
    ] = []

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            raise ValueError("an encoding that Python knows: utf-8, latin-1, cp1252, utf-16") from None

    @field_validator("dates", "timestamps")
    @classmethod
    def _is_a_format(cls, formats: list[str], info: ValidationInfo) -> list[str]:
        allowed = "formats with a day, a month and a year" + (" and a time" if info.field_name == "timestamps" else "")
        for one in formats:
            try:
                duckdb.execute("select try_strptime('', ?)", [one]).fetchall()
            except duckdb.Error:
                raise ValueError(f"{allowed}, such as %d.%m.%Y; {one} is none") from None
            if not (re.search("%-?[yYxc]", one) and re.search("%-?[mbBjxc]", one) and re.search("%-?[djxc]", one)):
                raise ValueError(f"{allowed}, such as %d.%m.%Y; {one} lacks some")
        return formats

    @model_validator(mode="after")
    def _is_one_meaning_for_each_sign(self) -> LandingContract:
        signs = {"delimiter": self.delimiter, "quote": self.quote, "decimal": self.decimal, "thousands": self.thousands}
        for one, other in (("delimiter", "quote"), ("decimal", "thousands")):
            if signs[one] and signs[one] == signs[other]:
                raise ValueError(f"{one} and {other} must differ; both are {signs[one]}")
        return self

    @property
    def null_texts(self) -> list[str]:
        """`nulls`, or its default for the format."""
        return self.nulls if self.nulls is not None else [""] if self.format == "csv" else []


@dataclass(frozen=True)
class Column:
    """A column as it lands, and its name in the files."""

    name: str
    data_type: str
    of_file: str

    @property
    def type(self) -> pa.DataType:
        found = arrow_type(self.data_type)
        assert found is not None
        return found


@dataclass(frozen=True)
class LandedTable:
    """A source table whose rows come in files. `path` is the YAML file that says so."""

    source: str
    name: str
    feed: str
    path: str
    columns: tuple[Column, ...]
    contract: LandingContract

    @property
    def label(self) -> str:
        return f"{self.source}.{self.name}"

    @property
    def schema(self) -> pa.Schema:
        """The columns as they land, without the two that say which batch a row came with."""
        return pa.schema([(column.name, column.type) for column in self.columns])

    @property
    def rejected_feed(self) -> str:
        return f"{self.feed}{REJECTED}"


REJECTED = "__rejected"
"""The end of the name of the feed with a feed's rejected rows."""


def arrow_type(data_type: str) -> pa.DataType | None:
    """The type of a column whose YAML says `data_type`. None if no engine-independent type has this name."""
    text = data_type.strip().lower()
    if text in SIMPLE_TYPES:
        return SIMPLE_TYPES[text]
    found = re.fullmatch(r"decimal\((\d+), ?(\d+)\)", text)
    digits, scale = (int(found[1]), int(found[2])) if found else (0, 0)
    return pa.decimal128(digits, scale) if 0 < digits <= MOST_DIGITS and scale <= digits else None


def read_contract(
    source: str, name: str, feed: str, path: str, landing: Mapping[str, Any], columns: Collection[Mapping[str, Any]]
) -> LandedTable:
    """The table that a source's YAML describes. `landing` is the table's own over the source's; `columns` are dbt's.

    Raises UsageError, which names the file, the key, what is there and what is allowed.
    """
    place = [("file", path), ("where", f"the table {source}.{name}")]
    try:
        contract = LandingContract.model_validate(landing)
    except ValidationError as error:
        raise _wrong_key(f"{source}.{name}", place, error) from error
    found = [_column(source, name, place, column) for column in columns if column.get("name") not in STAMPS]
    if not found:
        raise UsageError(
            f"{source}.{name} cannot land: its YAML lists no columns.",
            place,
            "list them under columns: each with name and data_type",
        )
    table = LandedTable(source, name, feed, path, tuple(found), contract)
    _assert_names(table, place)
    return table


def _wrong_key(label: str, place: list[tuple[str, str]], error: ValidationError) -> UsageError:
    # A misspelt key may be the reason why another one is missing.
    problem = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in ("landing", *problem["loc"]))
    message = f"{label} cannot land: {key} is not valid."
    got, allowed = repr(problem["input"]), problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        keys, last = list(LandingContract.model_fields), str(problem["loc"][-1])
        message = f"{label} cannot land: landing has no key {last!r}.{did_you_mean(last, keys)}"
        got, allowed = last, ", ".join(keys)
    elif problem["type"] == "missing":
        message, got, allowed = f"{label} cannot land: landing has no {problem['loc'][-1]}.", "nothing", _allowed(key)
    elif not problem["loc"]:
        message, got = f"{label} cannot land: its keys under landing contradict each other.", ""
    elif problem["type"] == "literal_error":
        allowed = _allowed(key)
    facts = [*place, *([("got", got)] if got else []), ("allowed", allowed)]
    return UsageError(message, facts, f"fix {key} in the file")


def _allowed(key: str) -> str:
    """What a key with a few allowed values takes, in words."""
    field = LandingContract.model_fields[key.split(".")[1]]
    return " or ".join(repr(value) if not str(value).isalpha() else value for value in field.annotation.__args__)  # type: ignore[union-attr]


def _column(source: str, name: str, place: list[tuple[str, str]], column: Mapping[str, Any]) -> Column:
    meta = {**(column.get("meta") or {}), **((column.get("config") or {}).get("meta") or {})}
    found = Column(column["name"], str(column.get("data_type") or ""), str(meta.get("from") or column["name"]))
    label = f"{source}.{name}: {found.name}"
    if arrow_type(found.data_type) is None:
        facts = [*place, ("got", found.data_type or "no data_type"), ("allowed", TYPE_NAMES)]
        way_out = "declare it as string: it takes any text, and nested JSON as its text"
        raise UsageError(f"{label} has a type that does not exist on every engine.", facts, way_out)
    if not re.fullmatch("[a-z_][a-z0-9_]*", found.name) or found.name == "feed":
        allowed = "lower-case letters, digits and _, not starting with a digit, and not the word feed"
        raise UsageError(
            f"{label} is not a name that a landed column can have.",
            [*place, ("allowed", allowed)],
            f"rename it; for the name in the files: config: {{meta: {{from: {found.of_file!r}}}}}",
        )
    return found


def _assert_names(table: LandedTable, place: list[tuple[str, str]]) -> None:
    names = [column.name for column in table.columns]
    for what, texts in (("name", names), ("from", [spelling(column.of_file) for column in table.columns])):
        twice = next((text for text in texts if texts.count(text) > 1), None)
        if twice:
            raise UsageError(f"{table.label} has two columns with the {what} {twice!r}.", place, "rename one of them")
    for column in table.contract.key:
        if column not in names:
            message = f"{table.label} has no column {column!r}, which its landing.key names."
            raise UsageError(
                message + did_you_mean(column, names), [*place, ("allowed", ", ".join(names))], "fix landing.key"
            )
    if table.feed.endswith(REJECTED):
        raise UsageError(
            f"{table.label} cannot land: names that end in {REJECTED} are for rejected rows.",
            [*place, ("got", table.feed)],
            "give the table another identifier",
        )


def spelling(name: str) -> str:
    """A column's name without what people do not see: case, and spaces around it."""
    return " ".join(name.split()).casefold()
