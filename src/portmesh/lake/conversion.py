"""Turns texts into the types of a contract, exactly: a text that is not a value of the type is named, never changed."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from portmesh.lake.contract import Column, LandingContract

_thread = threading.local()


@dataclass(frozen=True)
class Converted:
    """Values, and what is wrong with the rows that have none, in words by row."""

    values: pa.Array
    wrong: Mapping[int, str]


def convert(texts: pa.Array, column: Column, contract: LandingContract) -> Converted:
    """The values of a column. A row whose text is not a value of the column's type has none, and is in `wrong`."""
    if pa.types.is_string(column.type):
        return Converted(_without_nulls(texts, contract), {})
    quick = _cast_all(texts, column.type, contract)
    if quick is not None:
        return Converted(quick, {})
    values = _cast_each(texts, column.type, contract)
    missing = pc.and_(pc.is_null(values), pc.invert(_is_null(texts, contract)))
    rows = pc.indices_nonzero(missing).to_pylist()
    said = _not_of(column.data_type, contract)
    return Converted(values, {row: f"{column.name}: {texts[row].as_py()!r} is {said}" for row in rows})


def _is_null(texts: pa.Array, contract: LandingContract) -> pa.Array:
    """Whether a text means: no value. Spaces around it do not count, except in a column of texts."""
    trimmed = pc.utf8_trim_whitespace(texts)
    nulls = pa.array(contract.null_texts, pa.string())
    return pc.or_(pc.is_null(texts), pc.or_(pc.is_in(trimmed, nulls), pc.is_in(texts, nulls)))


def _without_nulls(texts: pa.Array, contract: LandingContract) -> pa.Array:
    if not contract.null_texts:
        return texts
    return pc.if_else(pc.is_in(texts, pa.array(contract.null_texts, pa.string())), pa.scalar(None, pa.string()), texts)


def _not_of(data_type: str, contract: LandingContract) -> str:
    formats = {"date": contract.dates, "timestamp": contract.timestamps}.get(data_type, [])
    if len(formats) > 1:
        return f"not one {data_type} as " + " or ".join(formats)
    return f"not a {data_type} as {formats[0]}" if formats else f"not {data_type}"


def _cast_all(texts: pa.Array, to: pa.DataType, contract: LandingContract) -> pa.Array | None:
    """All values, quickly; none if a text is not as a program writes it."""
    if (pa.types.is_date(to) and contract.dates) or (pa.types.is_timestamp(to) and contract.timestamps):
        return None
    values = _without_nulls(texts, contract)
    if pa.types.is_boolean(to):
        cast = _booleans(values, contract)
        return cast if cast.null_count == values.null_count else None
    # Arrow would read 0x1A as a whole number, and 1e3 as a decimal.
    for sign in ("x", "X") if pa.types.is_integer(to) else ("e", "E") if pa.types.is_decimal(to) else ():
        if _some(pc.match_substring(values, sign)):
            return None
    if contract.thousands and not pa.types.is_temporal(to) and _some(pc.match_substring(values, contract.thousands)):
        return None
    if contract.decimal != "." and (pa.types.is_decimal(to) or pa.types.is_floating(to)):
        if _some(pc.match_substring(values, ".")):
            return None
        values = pc.replace_substring(values, contract.decimal, ".")
    try:
        cast = pc.cast(values, to)
    except pa.ArrowInvalid:
        return None
    return cast if not pa.types.is_floating(to) or pc.all(pc.is_finite(cast)).as_py() is not False else None


def _some(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _cast_each(texts: pa.Array, to: pa.DataType, contract: LandingContract) -> pa.Array:
    """All values, one by one: null where a text is none."""
    values = pc.if_else(_is_null(texts, contract), pa.scalar(None, pa.string()), pc.utf8_trim_whitespace(texts))
    if pa.types.is_boolean(to):
        return _booleans(values, contract)
    if pa.types.is_date(to) and contract.dates:
        return _by_formats(values, contract.dates, to)
    if pa.types.is_timestamp(to) and contract.timestamps:
        return _by_formats(values, contract.timestamps, to)
    if not pa.types.is_temporal(to):
        values = _plain_numbers(values, contract)
    return _query(f"select {_exact_cast(to)} as value from texts", texts=values).cast(to)


def _booleans(values: pa.Array, contract: LandingContract) -> pa.Array:
    lower = pc.utf8_lower(values)
    is_true = pc.is_in(lower, pa.array([text.lower() for text in contract.true_values], pa.string()))
    is_false = pc.is_in(lower, pa.array([text.lower() for text in contract.false_values], pa.string()))
    return pc.if_else(is_true, True, pc.if_else(is_false, False, pa.scalar(None, pa.bool_())))


def around_numbers(currency: str) -> str:
    """A regular expression for a currency before or behind a number; its group 1 is the number's sign."""
    space, sign = "[ \u00a0\u202f]*", re.escape(currency)
    return f"^([+-]?){space}{sign}{space}|{space}{sign}$"


def _plain_numbers(values: pa.Array, contract: LandingContract) -> pa.Array:
    """Numbers without currency and separators of thousands, with a decimal point. What is written otherwise is cut."""
    if contract.currency:
        values = pc.replace_substring_regex(values, around_numbers(contract.currency), r"\1", max_replacements=1)
    if contract.thousands == " ":
        values = pc.replace_substring_regex(values, "[\u00a0\u202f]", " ")
    if contract.thousands:
        sign, point = f"[{contract.thousands}]", f"[{contract.decimal}]"
        grouped = pc.match_substring_regex(values, rf"^[+-]?\d{{1,3}}({sign}\d{{3}})+({point}\d*)?$")
        values = pc.if_else(grouped, pc.replace_substring(values, contract.thousands, ""), values)
    if contract.decimal != ".":
        # A point that is not a separator of thousands has no meaning here: the text is no number.
        point = pc.match_substring(values, ".")
        values = pc.if_else(point, "no number", pc.replace_substring(values, contract.decimal, "."))
    return values


_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,6}0*)?)?"
_TIME = f"{_DAY}([ T]{_CLOCK})?"
_TIME_WITH_OFFSET = _DAY + "[ T]" + _CLOCK + r" ?(Z|[+-]\d\d(:?\d\d)?)"


def _exact_cast(to: pa.DataType) -> str:
    """SQL that casts the text `value`, or is null. DuckDB would round, so the text's form is compared first."""
    if pa.types.is_decimal(to):
        form = rf"[+-]?0*\d{{0,{to.precision - to.scale}}}(\.\d{{0,{to.scale}}}0*)?"
        cast = f"try_cast(value as decimal({to.precision},{to.scale}))"
        return r"case when regexp_matches(value, '\d') then " + _if_form(form, cast) + " end"
    if pa.types.is_integer(to):
        return _if_form(r"[+-]?\d+", f"try_cast(value as {_INTEGERS[to]})")
    if pa.types.is_floating(to):
        cast = "try_cast(value as double)"
        number = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
        return _if_form(number, f"case when isfinite({cast}) then {cast} end")
    if pa.types.is_date(to):
        return _if_form(_DAY, "try_cast(value as date)")
    in_utc = "make_timestamp(epoch_us(try_cast(value as timestamptz)))"
    return f"coalesce({_if_form(_TIME, 'try_cast(value as timestamp)')}, {_if_form(_TIME_WITH_OFFSET, in_utc)})"


_INTEGERS = {pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint"}


def _if_form(form: str, sql: str) -> str:
    return f"case when regexp_full_match(value, '{form}') then {sql} end"


def _by_formats(values: pa.Array, formats: list[str], to: pa.DataType) -> pa.Array:
    """The one value that a text has in these formats; null if it has none, or two that differ.

    A year of four digits is not read from two: %Y would make the year 26 of them.
    """
    readings = []
    for number, one in enumerate(formats):
        parsed = f"try_strptime(value, ${number + 1})"
        in_utc = f"make_timestamp(epoch_us({parsed}))"
        whole_year = f"case when epoch_us({parsed}) >= epoch_us(timestamp '1000-01-01') then {in_utc} end"
        readings.append(whole_year if "%Y" in one else in_utc)
    listed = f"list_distinct(list_filter([{', '.join(readings)}], lambda reading: reading is not null))"
    day = "::date" if pa.types.is_date(to) else ""
    sql = f"select case when len(found) = 1 then found[1]{day} end as value from (select {listed} as found from texts)"
    return _query(sql, formats, texts=values).cast(to)


def _query(sql: str, parameters: list[str] | None = None, **columns: pa.Array) -> pa.Array:
    """The one column of a query on Arrow columns, each a table with the column `value`."""
    if not hasattr(_thread, "engine"):
        _thread.engine = duckdb.connect(config={"threads": "1"})
    engine: Any = _thread.engine
    for name, values in columns.items():
        engine.register(name, pa.table({"value": values}))
    found = engine.sql(sql, params=parameters or None).to_arrow_table()
    for name in columns:
        engine.unregister(name)
    return found["value"].combine_chunks()
