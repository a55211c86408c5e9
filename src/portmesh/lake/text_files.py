"""Reads text in any encoding as UTF-8, in chunks."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from portmesh.errors import FindingsError
from portmesh.lake.contract import LandedTable
from portmesh.lake.rows import LONGEST_TEXT

BLOCK = 8 << 20
"""Bytes that are read at once. Larger than any row."""
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def utf8_chunks(stream: BinaryIO, name: str, table: LandedTable) -> Iterator[bytes]:
    """The file as UTF-8 without a byte order mark, its lines ended by \\n. Bytes that are not in the encoding stay."""
    encoding = table.contract.encoding
    first = stream.read(BLOCK)
    mark = next((mark for mark in _MARKS if first.startswith(mark)), b"")
    if mark and not encoding.startswith(_MARKS[mark]):
        raise _other_encoding(name, table, f"a file that begins with the mark of {_MARKS[mark]}", _MARKS[mark])
    if encoding == "utf-16" and not mark:
        raise _other_encoding(name, table, "a file that does not begin with the mark of utf-16", "utf-8")
    # Python's codec utf-16 reads the mark itself, to see which byte comes first.
    chunk = first if encoding == "utf-16" else first.removeprefix(mark)
    decoder = None if encoding in ("utf-8", "utf-8-sig", "ascii") else codecs.getincrementaldecoder(encoding)
    decode = decoder("surrogateescape").decode if decoder else None
    is_old_mac = None
    while chunk:
        text = decode(chunk).encode("utf-8", "surrogateescape") if decode else chunk
        if is_old_mac is None:
            is_old_mac = b"\r" in text[:-1] and b"\n" not in text
        yield text.replace(b"\r", b"\n") if is_old_mac else text
        chunk = stream.read(BLOCK)


def _other_encoding(name: str, table: LandedTable, got: str, is_now: str) -> FindingsError:
    return FindingsError(
        f"{name} is not in the encoding that the contract of {table.label} states.",
        [("file", table.path), ("got", got), ("allowed", table.contract.encoding)],
        f"if the source now writes so: landing: {{encoding: {is_now}}}",
    )


def wrong_bytes(text: str) -> str:
    """The first byte of a text that is not in the file's encoding, such as `0xe4`. Empty if there is none."""
    return next((f"{ord(sign) - 0xDC00:#04x}" for sign in text if 0xDC80 <= ord(sign) <= 0xDCFF), "")


def shown(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").rstrip("\r\n")[:LONGEST_TEXT]
