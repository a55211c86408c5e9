"""The pattern that all texts of a column match, if there is one that says something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import duckdb

from portmesh.scaffold.column_names import shared_start
from portmesh.text import text_literal

SAMPLE = 20_000
ENOUGH = 20
"""A pattern is drawn only from this many different texts or more."""

MOST_RUNS = 12

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
        holds = f"select 1 from {rows} where not regexp_matches({column}::varchar, {text_literal(pattern)}) limit 1"
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
    if len({_mask(text) for text in texts}) == 1:
        yield f"^{_of_runs(texts)}$"
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


def _runs(text: str) -> list[str]:
    """The runs of digits and of letters of one case; every other character alone."""
    return re.findall(r"[0-9]+|[A-Z]+|[a-z]+|.", text, re.DOTALL)


def _class_of(run: str) -> str:
    return next((c for c in ("[0-9]", "[A-Z]", "[a-z]") if re.fullmatch(f"{c}+", run)), "")


def _mask(text: str) -> tuple[tuple[str, int], ...]:
    """The kinds and lengths of a text's runs; the text itself if it has too many to be a code."""
    runs = _runs(text)
    if len(runs) > MOST_RUNS:
        return ((text, 0),)
    return tuple((_class_of(run) or run, len(run)) for run in runs)


def _of_runs(texts: Sequence[str]) -> str:
    """The pattern of texts with the same mask: what they all have, letters or signs, stands as it is."""
    parts = []
    for runs in zip(*(_runs(text) for text in texts), strict=True):
        of_class, is_shared = _class_of(runs[0]), len(set(runs)) == 1
        is_literal = not of_class or (is_shared and of_class != "[0-9]")
        parts.append(_literal(runs[0]) if is_literal else f"{of_class}{{{len(runs[0])}}}")
    return "".join(parts)


def _shared_letters(texts: Sequence[str]) -> str:
    """What all texts begin with, without digits at its end: numbers share their first digits by chance."""
    shared = shared_start(texts)
    return shared.rstrip("0123456789") if re.search(r"[^0-9A-Za-z]", shared) else ""


def _literal(text: str) -> str:
    """A text as a regular expression that DuckDB, Spark and Trino read alike."""
    return re.sub(r"([\\.^$|?*+()\[\]{}])", r"[\1]", text).replace("[\\]", r"\\").replace("[^]", r"\^")
