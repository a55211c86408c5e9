"""Words that sqlglot 30.30 reads as the same, although an engine tells them apart."""

from __future__ import annotations

from collections import Counter

from sqlglot import tokenize
from sqlglot.errors import SqlglotError

ALIKE = (("log", "log2", "log10"), ("size", "array_size"))
"""`log2(x)` and `log(2, x)` differ in the last digit; Spark's `size` of null is -1, that of `array_size` is null."""


def told_apart(before: str, after: str, dialect: str) -> str:
    """Two words of which one stands in place of the other; empty if there are none."""
    old, new = _words(before, dialect), _words(after, dialect)
    for group in ALIKE:
        fewer, more = ([each for each in group if one[each] > other[each]] for one, other in ((old, new), (new, old)))
        if fewer and more:
            return f"{more[0]} in place of {fewer[0]}"
    return ""


def _words(sql: str, dialect: str) -> Counter[str]:
    try:
        return Counter(token.text.lower() for token in tokenize(sql, read=dialect))
    except SqlglotError:
        return Counter()
