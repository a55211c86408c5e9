"""Reads JSON: one object a line, or one array of objects. Numbers are taken as they are written."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from portmesh.errors import FindingsError
from portmesh.lake.columns import assert_no_new, assert_none_missing
from portmesh.lake.contract import Column, LandedTable, spelling
from portmesh.lake.rows import Part, Rejected, Texts, check
from portmesh.lake.text_files import shown, utf8_chunks

ROWS_AT_ONCE = 50_000
LONGEST_OBJECT = 64 << 20
_SPACE = re.compile(r"[ \t\r\n]*")


class _Number(str):
    """A number as the file has it."""


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the object has {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


_DECODER = json.JSONDecoder(
    parse_float=_Number, parse_int=_Number, parse_constant=_constant, object_pairs_hook=_object
)  # fmt: skip


def read_json(stream: BinaryIO, name: str, table: LandedTable) -> Iterator[Part]:
    """The objects of a file as rows. Raises FindingsError if the file as a whole cannot be read."""
    chunks = utf8_chunks(stream, name, table)
    first = next(chunks, b"")
    while not first.strip() and (more := next(chunks, b"")):
        first += more
    rows = _Rows(name, table)
    if not first.strip():
        raise FindingsError(f"{name} is empty.", [("file", name)], "ask the source for the file")
    if first.lstrip().startswith(b"["):
        yield from _from_array(first, chunks, rows)
    else:
        yield from _from_lines(first, chunks, rows)
    yield rows.take()
    rows.assert_all_columns()


class _Rows:
    """Rows that are collected until there are enough to convert at once."""

    def __init__(self, name: str, table: LandedTable) -> None:
        self.name = name
        self._table = table
        self._by_key: dict[str, int | None] = {}
        self._of_file = {spelling(column.of_file): number for number, column in enumerate(table.columns)}
        self._begin()

    def _begin(self) -> None:
        self._values: list[list[str | None]] = [[] for _ in self._table.columns]
        self._places: list[tuple[int, str]] = []
        self._rejected: list[Rejected] = []

    @property
    def are_enough(self) -> bool:
        return len(self._places) + len(self._rejected) >= ROWS_AT_ONCE

    def add(self, found: Any, line: int, text: str) -> None:
        """One value of the file."""
        if not isinstance(found, dict):
            self.reject(line, "not an object", text)
            return
        row: list[str | None] = [None] * len(self._table.columns)
        try:
            for key, value in found.items():
                place = self._by_key[key] if key in self._by_key else self._find(key, list(found))
                if place is not None:
                    row[place] = _text(value, self._table.columns[place], self._table)
        except UnicodeEncodeError:
            self.reject(line, "half a character (an unpaired surrogate)", text)
            return
        for values, value in zip(self._values, row, strict=True):
            values.append(value)
        self._places.append((line, text))

    def _find(self, key: str, names: Sequence[str]) -> int | None:
        place = self._of_file.get(spelling(key))
        if place is None:
            assert_no_new(self.name, self._table, [key], names)
        elif place in self._by_key.values():
            raise FindingsError(
                f"{self.name} cannot be read: it has several keys for the column {self._table.columns[place].name}.",
                [("got", ", ".join([*(old for old, at in self._by_key.items() if at == place), key]))],
                "ask the source for one of them",
            )
        self._by_key[key] = place
        return place

    def reject(self, line: int, reason: str, text: str) -> None:
        self._rejected.append(Rejected(self.name, line, reason, shown(text)))

    def take(self) -> Part:
        """The rows so far."""
        columns = [pa.array(values, pa.string()) for values in self._values]
        checked = check(Texts(columns, len(self._places)), self._table, nothing_is_bad=False)
        for row, reason in checked.wrong.items():
            self.reject(self._places[row][0], reason, self._places[row][1])
        part = Part(checked.rows, sorted(self._rejected, key=lambda rejected: rejected.line))
        self._begin()
        return part

    def assert_all_columns(self) -> None:
        """Raises FindingsError if no object of the file had a column of the contract."""
        missing = [c for number, c in enumerate(self._table.columns) if number not in self._by_key.values()]
        if self._by_key:
            assert_none_missing(self.name, self._table, missing, list(self._by_key))


def _text(value: Any, column: Column, table: LandedTable) -> str | None:
    """A value as text. Nested values are their JSON."""
    contract = table.contract
    if value is None:
        return None
    if isinstance(value, bool):
        if column.data_type == "boolean":
            return contract.true_values[0] if value else contract.false_values[0]
        return "true" if value else "false"
    if isinstance(value, _Number):
        # The contract's decimal sign is that of texts; a number of JSON always has a point.
        return str(value) if pa.types.is_string(column.type) else value.replace(".", contract.decimal)
    text = value if isinstance(value, str) else _nested(value)
    if not text.isascii():
        text.encode()
    return text


def _nested(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_nested(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_nested, value)) + "]"
    return value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _why(error: ValueError | RecursionError) -> str:
    """Why a text is not JSON, in words."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}, at character {error.pos + 1}"
    return "nested too deep" if isinstance(error, RecursionError) else f"not JSON: {error}"


def _from_lines(data: bytes, chunks: Iterator[bytes], rows: _Rows) -> Iterator[Part]:
    line = 0
    while data:
        chunk = next(chunks, None)
        end = len(data) if chunk is None else data.rfind(b"\n") + 1
        if chunk is not None and len(data) - end > LONGEST_OBJECT:
            raise _too_long(rows.name, line + 1)
        for content in data[:end].split(b"\n")[: None if chunk is None else -1]:
            line += 1
            if content.strip():
                _add_line(content, line, rows)
            if rows.are_enough:
                yield rows.take()
        data = data[end:] + (chunk or b"")


def _add_line(content: bytes, line: int, rows: _Rows) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        reason = f"the byte {content[error.start]:#04x}, which is not in the encoding of the file"
        rows.reject(line, reason, content.decode("utf-8", "replace"))
        return
    try:
        found = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        rows.reject(line, _why(error), text)
        return
    rows.add(found, line, text)


def _too_long(name: str, line: int) -> FindingsError:
    return FindingsError(
        f"{name} cannot be read: the object in line {line} is longer than {LONGEST_OBJECT:,} bytes.",
        next_step="ask the source for one object a line",
    )


def _from_array(data: bytes, chunks: Iterator[bytes], rows: _Rows) -> Iterator[Part]:
    """The objects of `[{…}, {…}]`. After a fault in it nothing says where the next object begins."""
    text, line, decode = "", 1, codecs.getincrementaldecoder("utf-8")().decode
    is_last, expected = False, "["
    at = 0
    while True:
        # An object may go on in the next chunk, so what is at the end of the text is read again with it.
        more, data = data, next(chunks, None) or b""
        is_last = not more
        try:
            text, at = text[at:] + decode(more, final=is_last), 0
        except UnicodeDecodeError as error:
            raise _broken(rows.name, line, "bytes that are not in the encoding of the file") from error
        while True:
            start = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            line, at = line + text.count("\n", at, start), start
            if at >= len(text) and not is_last:
                break
            sign = text[at : at + 1]
            if expected == "end":
                if sign:
                    raise _broken(rows.name, line, f"{sign!r} after the end of the array")
                return
            if expected in ("[", ",") and (sign == expected or (sign == "]" and expected == ",")):
                at += 1
                expected = "end" if sign == "]" else "first" if expected == "[" else "object"
                continue
            if expected == "first" and sign == "]":
                at, expected = at + 1, "end"
                continue
            if expected in ("[", ","):
                raise _broken(rows.name, line, f"{sign!r} instead of {expected!r}" if sign else "the file ends early")
            try:
                found, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                if not is_last and len(text) - at < LONGEST_OBJECT:
                    break
                raise _broken(rows.name, line, _why(error)) from error
            if end >= len(text) and not is_last:
                break
            rows.add(found, line, text[at:end])
            line, at, expected = line + text.count("\n", at, end), end, ","
            if rows.are_enough:
                yield rows.take()


def _broken(name: str, line: int, got: str) -> FindingsError:
    return FindingsError(
        f"{name} cannot be read: its array of objects is broken in line {line}.",
        [("got", got)],
        "ask the source for a whole file; with one object a line, only that line would be rejected",
    )
