"""Reads Parquet: columns by name, in any order, and of any type whose values the contract's types can hold exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from portmesh.errors import FindingsError
from portmesh.lake.columns import find_columns
from portmesh.lake.contract import Column, LandedTable, LandingContract
from portmesh.lake.conversion import Converted, convert
from portmesh.lake.rows import Part, Rejected, drop_wrong, note

ROWS_AT_ONCE = 122_880


def read_parquet(file: Path, name: str, table: LandedTable) -> Iterator[Part]:
    """The rows of a file. Their line is their number in it. Raises FindingsError if its columns do not fit."""
    try:
        # Engines read INT96 timestamps as microseconds; Arrow's default is nanoseconds.
        parquet = pq.ParquetFile(file, coerce_int96_timestamp_unit="us")
    except pa.ArrowInvalid as error:
        facts = [("file", table.path), ("got", str(error).splitlines()[0]), ("allowed", "a whole Parquet file")]
        raise FindingsError(
            f"{name} is not a Parquet file, or is not whole.", facts, "ask the source for it"
        ) from error
    with parquet:
        names = parquet.schema_arrow.names
        places, _ = find_columns(name, table, names)
        for place, column in zip(places, table.columns, strict=True):
            if place is not None:
                _assert_type(name, table, column, parquet.schema_arrow.field(place).type)
        wanted = [names[place] for place in places if place is not None]
        first = 0
        for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=wanted):
            yield _read_batch(batch, first, [None if p is None else names[p] for p in places], name, table)
            first += batch.num_rows


def _assert_type(name: str, table: LandedTable, column: Column, found: pa.DataType) -> None:
    if pa.types.is_nested(found) and not pa.types.is_string(column.type):
        raise FindingsError(
            f"{name} cannot be read: {column.of_file} is nested.",
            [("file", table.path), ("got", str(found)[:200]), ("allowed", column.data_type)],
            f"declare {column.name} as string: it takes the JSON text, which staging takes apart",
        )


def _read_batch(batch: pa.RecordBatch, first: int, names: list[str | None], name: str, table: LandedTable) -> Part:
    columns = []
    wrong: dict[int, str] = {}
    for source, column in zip(names, table.columns, strict=True):
        if source is None:
            columns.append(pa.nulls(batch.num_rows, column.type))
            continue
        converted = _convert(batch.column(batch.schema.get_field_index(source)), column)
        note(wrong, converted)
        columns.append(converted.values)
    checked = drop_wrong(pa.table(columns, schema=table.schema), wrong, table)
    rejected = [Rejected(name, first + row + 1, reason, _row(batch, row)) for row, reason in checked.wrong.items()]
    return Part(checked.rows, sorted(rejected, key=lambda one: one.line))


def _row(batch: pa.RecordBatch, row: int) -> str:
    return json.dumps(batch.slice(row, 1).to_pylist()[0], ensure_ascii=False, default=str)


def _convert(values: pa.Array, column: Column) -> Converted:
    """Values of a Parquet column in the contract's type; through their text if the type cannot simply hold them."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if values.type == column.type:
        return Converted(values, {})
    if pa.types.is_nested(values.type):
        texts = [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in values.to_pylist()]
        return Converted(pa.array(texts, pa.string()), {})
    if _holds(column.type, values.type):
        try:
            return Converted(pc.cast(values, column.type), {})
        except pa.ArrowInvalid:
            pass
    texts = pc.cast(values, pa.string())
    if pa.types.is_timestamp(values.type) and pa.types.is_date(column.type):
        texts = pc.replace_substring_regex(texts, r" 00:00:00(\.0*)?Z?$", "")
    return convert(texts, column, LandingContract(format="parquet"))


def _holds(to: pa.DataType, of: pa.DataType) -> bool:
    """Whether Arrow's cast is exact or raises."""
    is_number = pa.types.is_integer(of) or pa.types.is_decimal(of)
    if pa.types.is_decimal(to) or pa.types.is_integer(to):
        return bool(is_number)
    if pa.types.is_floating(to):
        return bool(is_number or pa.types.is_floating(of))
    if pa.types.is_timestamp(to):
        return bool(pa.types.is_timestamp(of) or pa.types.is_date(of))
    return False
