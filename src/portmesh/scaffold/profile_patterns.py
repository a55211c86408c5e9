"""The pattern that all texts of a column match, if there is one that says something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import duckdb

from portmesh.scaffold.column_names import shared_start

SAMPLE = 20_000
ENOUGH = 20
"""A pattern is drawn only from this many different texts or more."""

CLASSES = ("[0-9]", "[a-z]", "[A-Z]", "[A-Za-z]", "[0-9A-F]", "[0-9a-f]", "[A-Z0-9]", "[a-z0-9]", "[A-Za-z0-9]")
KNOWN = (
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    r"^[^@ ]+@[^@ ]+[.][A-Za-z]+$",
    r"^https?://[^ ]+$",
)


def pattern_of(connection: duckdb.DuckDBPyConnection, rows: str, column: str, filled: int) -> str:
    """The narrowest pattern that every text matches, verified on all rows; empty if there is none.

    It is drawn from the different texts of a sample of every slice, and taken only if it also holds for the rest.
    """
    each = max(filled // SAMPLE, 1)
    sampled = connection.execute(
        f"select distinct t from (select {column}::varchar as t, row_number() over () as n from {rows} "
        f"where {column} is not null) where n % {each} = 0 limit {SAMPLE}"
        if each > 1
        else f"select distinct {column}::varchar from {rows} where {column} is not null"
    ).fetchall()
    for pattern in candidates([text for (text,) in sampled]):
        literal = pattern.replace("'", "''")
        holds = f"select 1 from {rows} where not regexp_matches({column}::varchar, '{literal}') limit 1"
        if not connection.execute(holds).fetchall():
            return pattern
    return ""


def candidates(texts: Sequence[str]) -> Iterator[str]:
    """Patterns that all these texts match, the narrowest first."""
    if len(texts) < ENOUGH or any(not text for text in texts):
        return
    for known in KNOWN:
        if all(re.search(known, text) for text in texts):
            yield known
    if len(masks := {_mask(text) for text in texts}) == 1:
        yield f"^{_with_shared_letters(masks.pop(), texts)}$"
    prefix = _shared_letters(texts)
    rests = [text[len(prefix) :] for text in texts]
    lengths = {len(rest) for rest in rests}
    for of_class in CLASSES:
        # An empty rest would be matched by a count of zero, which says little.
        if all(re.fullmatch(f"{of_class}+", rest) for rest in rests):
            if len(lengths) == 1:
                yield f"^{_literal(prefix)}{of_class}{{{lengths.pop()}}}$"
            yield f"^{_literal(prefix)}{of_class}+$"
            break


def _mask(text: str) -> str:
    """The runs of digits and letters of a text, as a regular expression: `2017-W01` → `[0-9]{4}-[A-Z][0-9]{2}`."""
    parts = []
    for found in re.finditer(r"[0-9]+|[A-Z]+|[a-z]+|.", text, re.DOTALL):
        run = found[0]
        of_class = "[0-9]" if run[0] in "0123456789" else "[A-Z]" if "A" <= run[0] <= "Z" else "[a-z]"
        is_run = run[0].isascii() and run[0].isalnum()
        parts.append(f"{of_class}{{{len(run)}}}" if is_run else _literal(run))
    return "".join(parts) if len(parts) <= 12 else text


def _with_shared_letters(mask: str, texts: Sequence[str]) -> str:
    """A mask in which a run of letters that all texts share is written as it is: `[0-9]{4}-W[0-9]{2}`."""
    first = texts[0]
    place, parts = 0, []
    for found in re.finditer(r"\[(?:0-9|A-Z|a-z)\]\{(\d+)\}|\\?.", mask, re.DOTALL):
        length = int(found[1]) if found[1] else 1
        run = first[place : place + length]
        is_shared = run.isalpha() and all(text[place : place + length] == run for text in texts)
        parts.append(_literal(run) if is_shared else found[0])
        place += length
    return "".join(parts)


def _shared_letters(texts: Sequence[str]) -> str:
    """What all texts begin with, without digits at its end: numbers share their first digits by chance."""
    shared = shared_start(texts)
    return shared.rstrip("0123456789") if re.search(r"[^0-9A-Za-z]", shared) else ""


def _literal(text: str) -> str:
    """A text as a regular expression that DuckDB, Spark and Trino read alike."""
    return re.sub(r"([\\.^$|?*+()\[\]{}])", r"[\1]", text).replace("[\\]", r"\\").replace("[^]", r"\^")
