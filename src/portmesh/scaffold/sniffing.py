"""Recognises how a file is written, and which columns of which types it has, to write a source's landing contract.

DuckDB finds the delimiter and the header. A column has a type only if every value that was read is one.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

import duckdb

from portmesh.errors import FindingsError, MissingArtifactError, UsageError, did_you_mean
from portmesh.scaffold.snake_case import column_names
from portmesh.scaffold.sniffed_types import Odd, Texts, types_of
from portmesh.text import count, size, text_literal

MOST_BYTES = 256 << 20
"""How much of a file is read. What is recognised then holds for these bytes, and the command says so."""
CHUNK = 8 << 20
GZIP = b"\x1f\x8b"
NO_TEXT = {
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
}
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
DELIMITERS = (";", "\t", ",", "|")
LONGEST_ROW = 4 << 20
ROWS_COMPARED = 1000
MOST_ROWS = 0.5
"""The share of the first rows that have one width, if DuckDB does not find the delimiter."""
OF_DUCKDB = {
    "BOOLEAN": "boolean", "TINYINT": "tinyint", "SMALLINT": "smallint", "INTEGER": "int", "BIGINT": "bigint",
    "UTINYINT": "smallint", "USMALLINT": "int", "UINTEGER": "bigint", "UBIGINT": "decimal(20,0)",
    "HUGEINT": "decimal(38,0)", "FLOAT": "double", "DOUBLE": "double", "DATE": "date", "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp", "TIMESTAMP_MS": "timestamp", "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}  # fmt: skip
"""DuckDB's types, and the contract's. All others land as text."""


@dataclass(frozen=True)
class Column:
    """A column of a file, as it will land; `of_file` is its name in the file, if that is not the same in other case."""

    name: str
    data_type: str
    of_file: str = ""


@dataclass
class Sniffed:
    """What was recognised. `landing` are the keys of the contract; `notes` say what a person should look at.

    `odd` has the columns that are text only because of a few values.
    """

    file: Path
    format: str
    rows: int
    columns: list[Column]
    landing: dict[str, Any] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    odd: list[tuple[Column, Odd]] = field(default_factory=list)


def sniff(path: Path, header: Sequence[str] = (), formats: Sequence[str] = ()) -> Sniffed:
    """Read a CSV, JSON or Parquet file.

    `header` names the columns of a CSV that has no header; `formats` are those of its dates, if they are known.

    Raises MissingArtifactError if there is no such file, UsageError if it is of another kind, and FindingsError if it
    cannot be read.
    """
    _assert_formats(formats)
    first = _first_bytes(path)
    if first.startswith(b"PAR1"):
        return _sniff_typed(path, "parquet", f"read_parquet({text_literal(path)}, hive_partitioning = false)")
    for sign, (what, way_out) in NO_TEXT.items():
        if first.startswith(sign):
            raise UsageError(f"{path.name} is {what}, not CSV, JSON or Parquet.", [("file", str(path))], way_out)
    with TemporaryDirectory(prefix="portmesh-sniff-") as folder:
        text = Path(folder) / "text"
        encoding, is_all = _as_utf8(path, text)
        start = text.open(encoding="utf-8").read(1000).lstrip()
        if not start:
            raise FindingsError(f"{path.name} is empty.", [("file", str(path))], "use a file with rows")
        if start[0] in "{[":
            reader = f"read_json({text_literal(text)}, maximum_object_size = {LONGEST_ROW * 4})"
            found = _sniff_typed(path, "json", reader)
        else:
            found = _sniff_csv(path, text, header, formats)
    if encoding != "utf-8":
        found.landing["encoding"] = encoding
    if not is_all:
        found.notes.append(("read", f"the first {size(MOST_BYTES)}, not the whole file"))
    return found


def _assert_formats(formats: Sequence[str]) -> None:
    for one in formats:
        try:
            duckdb.execute("select try_strptime('', ?)", [one]).fetchall()
        except duckdb.Error as error:
            facts = [("got", one), ("allowed", "a format as Python and DuckDB have it: %d.%m.%Y, %m/%d/%Y %H:%M")]
            raise UsageError("--date-format is none.", facts, "write day, month and year with %") from error


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(4)
    except OSError as error:
        facts = [("got", str(path)), ("why", error.strerror or "")]
        beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        message = f"This file cannot be read.{did_you_mean(path.name, beside)}"
        raise MissingArtifactError(message, facts, "name a file that exists") from error


# Encoding


def _as_utf8(path: Path, text: Path) -> tuple[str, bool]:
    """Write the file as UTF-8 to `text`, without a byte order mark. Returns its encoding, and whether it was all."""
    for encoding in _encodings(path):
        try:
            return encoding, _decode(path, encoding, text)
        except UnicodeDecodeError:
            continue
    raise FindingsError(f"{path.name} is no text.", [("file", str(path))], "use a CSV, JSON or Parquet file")


def _encodings(path: Path) -> Sequence[str]:
    with _opened(path) as stream:
        start = _read(path, stream, CHUNK)
    if b"\0" in start and not any(start.startswith(mark) for mark in MARKS):
        return []
    mark = next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), "")
    # Windows writes its quotes and dashes in bytes that Latin-1 leaves empty.
    return [mark] if mark else ["utf-8", "cp1252" if re.search(rb"[\x80-\x9f]", start) else "latin-1", "latin-1"]


def _opened(path: Path) -> BinaryIO:
    is_gzip = _first_bytes(path).startswith(GZIP)
    return cast(BinaryIO, gzip.open(path)) if is_gzip else path.open("rb")


def _read(path: Path, stream: BinaryIO, number: int) -> bytes:
    try:
        return stream.read(number)
    except (EOFError, OSError) as error:
        raise FindingsError(
            f"{path.name} is damaged or cut off.", [("file", str(path)), ("why", str(error))], "fetch it again"
        ) from error


def _decode(path: Path, encoding: str, text: Path) -> bool:
    """Whether the end of the file was reached. What is cut ends with a whole line."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
    done, chunk = 0, b""
    with _opened(path) as stream, text.open("w", encoding="utf-8", newline="") as out:
        while done < MOST_BYTES and (chunk := _read(path, stream, CHUNK)):
            done += len(chunk)
            out.write(decoder.decode(chunk))
        is_all = not chunk or not _read(path, stream, 1)
        if is_all:
            out.write(decoder.decode(b"", final=True))
    if not is_all:
        _cut_last_line(text)
    return is_all


def _cut_last_line(text: Path) -> None:
    with text.open("r+b") as stream:
        stream.seek(-min(CHUNK, text.stat().st_size), 2)
        tail = stream.read()
        stream.truncate(text.stat().st_size - len(tail) + tail.rfind(b"\n") + 1)


# JSON and Parquet, which have types


def _sniff_typed(path: Path, kind: str, reader: str) -> Sniffed:
    with duckdb.connect() as database:
        try:
            described = database.execute(f"describe select * from {reader}").fetchall()
            ((rows,),) = database.execute(f"select count(*) from {reader}").fetchall()
        except duckdb.Error as error:
            raise _unreadable(path, error) from error
    if not rows and kind == "json":
        raise _without_rows(path)
    given = [name for name, *_ in described]
    columns = _columns(given, [_type_of(kind_of) for _, kind_of, *_ in described])
    nested = [name for name, kind_of, *_ in described if _is_nested(kind_of)]
    notes = [("as text", f"{', '.join(nested)}: nested values land as their text")] if nested else []
    return Sniffed(path, kind, rows, columns, {"format": kind}, notes)


def _columns(given: Sequence[str], types: Sequence[str]) -> list[Column]:
    named = zip(column_names(given), given, types, strict=True)
    return [Column(name, kind, "" if " ".join(text.split()).lower() == name else text) for name, text, kind in named]


def _spelling(name: str) -> str:
    return " ".join(name.split()).casefold()


def _type_of(kind: str) -> str:
    return kind.lower() if kind.startswith("DECIMAL(") else OF_DUCKDB.get(kind, "string")


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "JSON", "UNION"))


def _without_rows(path: Path) -> FindingsError:
    return FindingsError(
        f"{path.name} has no rows, so nothing shows the types of its columns.",
        [("file", str(path))],
        "name a file with rows; one without any can land later",
    )


def _unreadable(path: Path, error: duckdb.Error) -> FindingsError:
    said = next((line for line in str(error).splitlines() if line.strip()), "")
    said = re.sub(r"[^\s\"']*portmesh-sniff-[^/]*/text", path.name, said)
    return FindingsError(
        f"It cannot be recognised how {path.name} is written.",
        [("file", str(path)), ("said", said)],
        "ask the source for a file in another form, or write the YAML by hand (docs/analyst.md)",
    )


# CSV


def _sniff_csv(path: Path, text: Path, header: Sequence[str], formats: Sequence[str]) -> Sniffed:
    with duckdb.connect() as database:
        layout = _layout(database, path, text)
        names = _load(database, path, text, layout, header)
        if not header and not layout["has_header"] and _looks_like_values(names):
            raise UsageError(
                f"{path.name} has no header, so its columns have no names.",
                [("line 1", ", ".join(names)), ("columns", str(len(names)))],
                f"name them in their order: --columns {','.join(f'name_{n}' for n in range(1, min(len(names), 3) + 1))}"
                + (",…" if len(names) > 3 else ""),
            )
        ((rows,),) = database.execute("select count(*) from rows_of_file").fetchall()
        if not rows:
            raise _without_rows(path)
        kept = [number for number, name in enumerate(names) if name.strip()]
        _assert_names(path, [names[number] for number in kept])
        texts = Texts(database, {number: names[number].strip() for number in kept}, layout["delimiter"], list(formats))
        types = types_of(texts)
    given = [names[number].strip() for number in kept]
    columns = _columns(given, [types.of[number] for number in kept])
    if header:
        columns = [Column(column.name, column.data_type) for column in columns]
    landing: dict[str, Any] = {"format": "csv"}
    if layout["delimiter"] != ",":
        landing["delimiter"] = layout["delimiter"]
    if layout["skip"]:
        landing["skip_rows"] = layout["skip"]
    if header:
        landing["header"] = False
    notes = list(types.notes)
    if len(kept) < len(names):
        landing["new_columns"] = "ignore"
        notes.append(("left out", f"{count(len(names) - len(kept), 'column')} without a name"))
    odd = [(columns[kept.index(one.number)], one) for one in types.odd]
    return Sniffed(path, "csv", rows, columns, landing | types.landing, notes, odd)


def _layout(database: duckdb.DuckDBPyConnection, path: Path, text: Path) -> dict[str, Any]:
    found = _sniffed(database, path, text)
    if found["width"] > 1:
        return found
    # A title above the header, a row that is cut off, or a row of totals mislead DuckDB.
    likely = max((_of_most_rows(text, sign) for sign in DELIMITERS), key=lambda each: (each.share, each.width))
    if likely.share < MOST_ROWS:
        return found
    return {"delimiter": likely.delimiter, "skip": likely.skip, "has_header": False, "width": likely.width}


@dataclass(frozen=True)
class _Width:
    """The number of values that most of the first rows have, their share, and the lines before the first of them."""

    delimiter: str
    share: float = 0
    width: int = 1
    skip: int = 0


def _of_most_rows(text: Path, delimiter: str) -> _Width:
    with text.open(encoding="utf-8", newline="") as stream, suppress(csv.Error):
        reader = csv.reader(stream, delimiter=delimiter)
        rows = [(len(row), reader.line_num) for row in islice(reader, ROWS_COMPARED) if row]
        ((width, number),) = Counter(width for width, _ in rows).most_common(1)
        if width > 1:
            before = [line for _, line in takewhile(lambda row: row[0] != width, rows)]
            return _Width(delimiter, number / len(rows), width, before[-1] if before else 0)
    return _Width(delimiter)


def _sniffed(database: duckdb.DuckDBPyConnection, path: Path, text: Path) -> dict[str, Any]:
    try:
        ((sign, skip, has_header, columns),) = database.execute(
            "select Delimiter, SkipRows, HasHeader, Columns "
            f"from sniff_csv({text_literal(text)}, quote = '\"', escape = '\"', strict_mode = false)"
        ).fetchall()
    except duckdb.Error as error:
        raise _unreadable(path, error) from error
    return {
        "delimiter": "," if sign == "(empty)" else sign,
        "skip": skip,
        "has_header": has_header,
        "width": len(columns),
    }


def _load(
    database: duckdb.DuckDBPyConnection, path: Path, text: Path, layout: Mapping[str, Any], header: Sequence[str]
) -> list[str]:
    """Load all rows as texts into the table rows_of_file, without the header. Returns the names of the columns."""
    width = max(layout["width"], 1)
    types = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(width))
    try:
        database.execute(
            f"create table rows_of_file as select * from read_csv({text_literal(text)}, auto_detect = false, "
            f"delim = {text_literal(layout['delimiter'])}, quote = '\"', escape = '\"', header = false, "
            f"skip = {layout['skip']}, columns = {{{types}}}, strict_mode = false, ignore_errors = true, "
            f"null_padding = true, parallel = false, max_line_size = {LONGEST_ROW})"
        )
        first = database.execute("select * from rows_of_file where rowid = 0").fetchall()
        if header or not first:
            if first and len(header) != width:
                facts = [("got", f"{len(header)}: {', '.join(header)}"), ("allowed", f"{width}, as {path.name} has")]
                raise UsageError("--columns does not name each column.", facts, "name them in the file's order")
            return list(header)
        database.execute("delete from rows_of_file where rowid = 0")
    except duckdb.Error as error:
        raise _unreadable(path, error) from error
    return [value or "" for value in first[0]]


def _looks_like_values(names: Sequence[str]) -> bool:
    return any(re.fullmatch(r"[+-]?[\d.,:/ -]+", name.strip()) for name in names if name.strip())


def _assert_names(path: Path, names: Sequence[str]) -> None:
    spelled: set[str] = set()
    for name in names:
        if _spelling(name) in spelled:
            raise FindingsError(
                f"{path.name} has several columns named {name.strip()!r}.",
                [("file", str(path)), ("allowed", "one column of each name")],
                "rename one of them in the file, or ask the source to",
            )
        spelled.add(_spelling(name))
