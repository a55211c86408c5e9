"""Reads CSV as people have it, block by block: Arrow reads a block that is as a program writes it, in parallel.

A block with a row that cannot be read is read again by Python's csv module, which knows the line of each row.
"""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from portmesh.errors import FindingsError
from portmesh.lake.columns import find_columns
from portmesh.lake.contract import LandedTable
from portmesh.lake.rows import Part, Rejected, Texts, check
from portmesh.lake.text_files import BLOCK, shown, utf8_chunks, wrong_bytes

LONGEST_ROW = 4 << 20
"""Characters. Where a quote is not closed, the row would be longer."""
VALUES_AT_ONCE = 2_000_000
# For the whole process: the module has no other way, and its default would refuse a long text.
csv.field_size_limit(LONGEST_ROW)
WORKERS = min(4, os.cpu_count() or 1)
NEW_LINE, RETURN = ord("\n"), ord("\r")


@dataclass(frozen=True)
class _Layout:
    """How the rows of a file are written, and the place of each of the contract's columns in a row."""

    name: str
    table: LandedTable
    header: Sequence[str] | None
    places: Sequence[int | None] = ()
    width: int = 0

    @property
    def delimiter(self) -> str:
        return self.table.contract.delimiter

    @property
    def quote(self) -> str:
        return self.table.contract.quote


@dataclass
class _Lines:
    """Rows that Python read, each with its line and text; rows without fields; and the bytes and lines that it used."""

    fields: list[list[str]] = field(default_factory=list)
    places: list[tuple[int, str]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    bytes: int = 0
    lines: int = 0


def read_csv(stream: BinaryIO, name: str, table: LandedTable) -> Iterator[Part]:
    """The rows of a file. Raises FindingsError if its header does not fit the contract."""
    chunks = utf8_chunks(stream, name, table)
    data, line, header = _take_header(chunks, _Layout(name, table, None))
    if table.contract.header and header is None:
        raise FindingsError(f"{name} is empty: it has no header.", [("file", name)], "ask the source for the file")
    layout = _Layout(name, table, header, *find_columns(name, table, header))
    with ThreadPoolExecutor(WORKERS) as workers:
        running: deque[Future[Part]] = deque()
        for read in _blocks(data, chunks, line, layout):
            running.append(workers.submit(read))
            if len(running) > WORKERS:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


# Header


def _take_header(chunks: Iterator[bytes], layout: _Layout) -> tuple[bytes, int, list[str] | None]:
    """What follows the header in the first chunk, the line on which that begins, and the header, if there is one."""
    data, line, contract = next(chunks, b""), 1, layout.table.contract
    for _ in range(contract.skip_rows):
        data, line = data[_first_line(data) :], line + 1
    if not contract.header:
        return data, line, None
    chunk: bytes | None = b""
    found = _Lines()
    while chunk is not None and not (found.fields or found.rejected):
        chunk = next(chunks, None)
        found = _parse(data, line, layout, is_last=chunk is None, most=1)
        data += chunk or b""
    if found.rejected:
        bad = found.rejected[0]
        facts = [("line", str(bad.line)), ("got", bad.text), ("why", bad.reason)]
        way_out = "fix it, or state in the YAML how the source writes: landing: {encoding: latin-1, quote: '\"'}"
        raise FindingsError(f"The header of {layout.name} cannot be read.", facts, way_out)
    if not found.fields:
        return b"", line, None
    header = [text.strip() for text in found.fields[0]]
    return data[found.bytes :], line + found.lines, header


def _first_line(data: bytes) -> int:
    return data.find(b"\n") + 1 or len(data)


# Blocks


class _Reading(partial[Part]):
    """A call that reads one block."""


def _blocks(data: bytes, chunks: Iterator[bytes], line: int, layout: _Layout) -> Iterator[_Reading]:
    """For each block of whole rows a call that reads it. Blocks that Arrow would misread are read by Python at once."""
    is_last, wanted = False, BLOCK
    while True:
        while len(data) < wanted and not is_last:
            chunk = next(chunks, None)
            data, is_last = data + (chunk or b""), chunk is None
        if not data:
            return
        end, wanted = _end_of_rows(data, layout, is_last), BLOCK
        if end:
            yield _Reading(_read_block, data[:end], line, layout)
            line += data.count(b"\n", 0, end)
        else:
            found = _parse(data, line, layout, is_last, most=max(1, VALUES_AT_ONCE // max(1, layout.width)))
            end, wanted = found.bytes, BLOCK if found.bytes else 2 * len(data)
            yield _Reading(_read_lines, found, layout)
            line += found.lines
        if wanted > 4 * max(BLOCK, LONGEST_ROW):
            raise FindingsError(
                f"{layout.name} cannot be read: line {line} is longer than {LONGEST_ROW:,} characters.",
                next_step="ask the source for a file whose lines end with a line feed",
            )
        data = data[end:]


def _end_of_rows(data: bytes, layout: _Layout, is_last: bool) -> int:
    """Where the last whole row ends. 0 if quotes or line ends are such that Arrow would not see its rows as Python."""
    text = data if is_last else data.removesuffix(b"\r")
    if text.count(b"\r") != text.count(b"\r\n"):
        return 0
    quote = layout.quote.encode()
    if not quote or quote not in data:
        return len(data) if is_last else data.rfind(b"\n") + 1
    signs = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(signs == quote[0])
    delimiter = ord(layout.delimiter)
    before = signs[quotes[::2] - 1]
    after = signs[np.minimum(quotes[1::2] + 1, len(data) - 1)]
    opens = np.isin(before, [delimiter, NEW_LINE, quote[0]]) | (quotes[::2] == 0)
    closes = np.isin(after, [delimiter, NEW_LINE, RETURN, quote[0]]) | (quotes[1::2] == len(data) - 1)
    is_open = len(quotes) % 2 == 1
    if not (opens.all() and closes.all()) or (is_last and is_open):
        return 0
    if is_last:
        return len(data)
    end = data.rfind(b"\n", 0, int(quotes[-1]) if is_open else len(data))
    while end >= 0 and (earlier := int(np.searchsorted(quotes, end))) % 2:
        end = data.rfind(b"\n", 0, int(quotes[earlier - 1]))
    return end + 1


# Arrow's way


def _read_block(block: bytes, line: int, layout: _Layout) -> Part:
    texts = _parse_quickly(block, layout)
    if texts and not _may_hold_header(texts, layout):
        checked = check(texts, layout.table, nothing_is_bad=True)
        lines = block.split(b"\n") if checked.wrong else []
        # One line a row: neither values with line breaks nor empty lines.
        if not checked.wrong or len(lines) - (not lines[-1]) == texts.count:
            name = layout.name
            rejected = [Rejected(name, line + n, why, _text(lines[n])) for n, why in sorted(checked.wrong.items())]
            return Part(checked.rows, rejected)
    return _read_lines(_parse(block, line, layout, is_last=True), layout)


def _text(line: bytes) -> str:
    return shown(line.decode("utf-8", "surrogateescape"))


def _parse_quickly(block: bytes, layout: _Layout) -> Texts | None:
    """The rows as Arrow reads them; none if one has too few or too many values, or is not UTF-8."""
    names = [str(place) for place in range(layout.width)]
    used = [str(place) for place in layout.places if place is not None]
    odd = []

    def is_odd(row: object) -> str:
        odd.append(row)
        return "skip"

    try:
        found = arrow_csv.read_csv(
            pa.BufferReader(block),
            arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
            arrow_csv.ParseOptions(
                delimiter=layout.delimiter, quote_char=layout.quote or False, newlines_in_values=True,
                invalid_row_handler=is_odd,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=used, strings_can_be_null=False
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:
        return None
    if odd:
        return None
    columns = [None if place is None else found[str(place)].combine_chunks() for place in layout.places]
    return Texts(columns, found.num_rows)


def _may_hold_header(texts: Texts, layout: _Layout) -> bool:
    """Whether a row may be the header again."""
    for place, values in zip(layout.places, texts.columns, strict=True):
        if layout.header and place is not None and values is not None:
            return bool(pc.any(pc.equal(pc.utf8_trim_whitespace(values), layout.header[place])).as_py())
    return False


# Python's way


class _TooLongError(Exception):
    """A row is longer than any that is read."""


class _Feed:
    """The lines of a text, for Python's reader; it knows which of them belong to the row that is being read."""

    def __init__(self, data: bytes, line: int) -> None:
        self._data = data
        self.line = line
        self.at = self.start = 0
        self.lines = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.at >= len(self._data):
            raise StopIteration
        if self.at - self.start > LONGEST_ROW:
            raise _TooLongError
        begin = self.at
        self.at = self._data.find(b"\n", begin) + 1 or len(self._data)
        self.lines += 1
        return self._data[begin : self.at].decode("utf-8", "surrogateescape")

    def begin(self) -> None:
        """The next line begins a row."""
        self.line, self.start, self.lines = self.line + self.lines, self.at, 0

    def keep_first_line(self) -> None:
        """The row is its first line only; the next line begins another."""
        self.at = self._data.find(b"\n", self.start) + 1 or len(self._data)
        self.lines = 1

    @property
    def text(self) -> str:
        return shown(self._data[self.start : self.at].decode("utf-8", "surrogateescape"))


def _parse(data: bytes, line: int, layout: _Layout, is_last: bool, most: int | None = None) -> _Lines:
    """The rows of a text, at most `most`. Without `is_last`, the row at its end may go on and is left."""
    if not is_last:
        data = data[: data.rfind(b"\n") + 1]
    feed, found = _Feed(data, line), _Lines()
    reader = _reader(feed, layout)
    while most is None or len(found.fields) + len(found.rejected) < most:
        feed.begin()
        try:
            fields = next(reader)
        except StopIteration:
            break
        except (csv.Error, _TooLongError) as error:
            is_too_long = isinstance(error, _TooLongError) or "field larger" in str(error)
            is_open = is_too_long or "unexpected end of data" in str(error)
            if is_open and not is_last and not is_too_long:
                feed.at, feed.lines = feed.start, 0
                break
            if is_open:
                feed.keep_first_line()
                reader = _reader(feed, layout)
            reason = "a quote is opened and not closed" if is_open else _reason(str(error), layout)
            found.rejected.append(Rejected(layout.name, feed.line, reason, feed.text))
            continue
        if reason := _fault(fields, layout):
            found.rejected.append(Rejected(layout.name, feed.line, reason, feed.text))
        elif fields:
            found.fields.append(fields)
            found.places.append((feed.line, feed.text))
    feed.begin()
    found.bytes, found.lines = feed.at, feed.line - line
    return found


def _reader(feed: _Feed, layout: _Layout) -> Iterator[list[str]]:
    if not layout.quote:
        return csv.reader(feed, delimiter=layout.delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(feed, delimiter=layout.delimiter, quotechar=layout.quote, strict=True)


def _reason(error: str, layout: _Layout) -> str:
    """Why Python's reader refuses a row, in words."""
    if "new-line character" in error:
        return "a carriage return inside a value without quotes"
    if "expected after" in error:
        return f"a {layout.quote} inside a quoted value is not doubled, or follows the value's end"
    return error


def _fault(fields: list[str], layout: _Layout) -> str:
    """Why a row is not one, in words; empty if it is one, or an empty line."""
    if not fields:
        return ""
    for number, text in enumerate(fields, start=1):
        if not text.isascii() and (byte := wrong_bytes(text)):
            return f"value {number} has the byte {byte}, which is not {layout.table.contract.encoding}"
    if layout.width and len(fields) != layout.width:
        values = "1 value" if len(fields) == 1 else f"{len(fields)} values"
        return f"{values} instead of {layout.width}"
    if layout.header and [text.strip() for text in fields] == layout.header:
        return "the header again"
    return ""


def _read_lines(lines: _Lines, layout: _Layout) -> Part:
    by_place = list(zip(*lines.fields, strict=True)) or [()] * layout.width
    columns = [None if place is None else pa.array(by_place[place], pa.string()) for place in layout.places]
    checked = check(Texts(columns, len(lines.fields)), layout.table, nothing_is_bad=True)
    wrong = [
        Rejected(layout.name, lines.places[row][0], reason, lines.places[row][1])
        for row, reason in checked.wrong.items()
    ]
    return Part(checked.rows, sorted([*lines.rejected, *wrong], key=lambda rejected: rejected.line))
