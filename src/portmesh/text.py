"""Plain text for people: aligned facts, numbers with separators, sizes with units."""

from __future__ import annotations

from collections.abc import Sequence


def facts_block(facts: Sequence[tuple[str, str]]) -> str:
    """Lines of `  label   value`, aligned; the lines of a value stay below each other."""
    width = max((len(label) for label, _ in facts), default=0)
    indent = "\n" + " " * (width + 5)
    return "\n".join(f"  {label:<{width}}   {value.replace(chr(10), indent)}" for label, value in facts)


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 batch`, `22,632,932 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number_of_bytes: int) -> str:
    """Bytes in the largest fitting decimal unit: `512 B`, `1.2 kB`, `36.3 MB`."""
    value = float(number_of_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:,.1f} {unit}"
