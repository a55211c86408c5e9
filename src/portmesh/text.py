"""Plain text for people: aligned facts, numbers with separators, sizes with units."""

from __future__ import annotations

from collections.abc import Sequence


def printable(value: object, longest: int | None = None) -> str:
    """A value as one line that is safe for a terminal: unprintable characters become escapes such as \\n or \\x1b.

    Cut to `longest` characters. The macro of the same name does this in dbt (macros/output_port/printable.sql).
    """
    text = "null" if value is None else str(value)
    cut = text if longest is None else text[: longest + 1]
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)
    return shown if longest is None or len(shown) <= longest else shown[: longest - 1] + "…"


def printable_lines(text: str) -> str:
    """The same for a text of several lines, which stay separate lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def facts_block(facts: Sequence[tuple[str, str]]) -> str:
    """Aligned lines of `  label   value`. Further lines of a value are indented below its first one."""
    width = max((len(label) for label, _ in facts), default=0)
    indent = "\n" + " " * (width + 5)
    return "\n".join(
        f"  {label:<{width}}   {printable_lines(value).replace(chr(10), indent)}" for label, value in facts
    )


def quoted(*names: str) -> str:
    """Names as SQL: "orders"."order_lines"."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def text_literal(value: object) -> str:
    """A value as a text in SQL, on DuckDB and Athena: 'Joe''s'. The macro of the same name also knows Spark."""
    return "'" + str(value).replace("'", "''") + "'"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 batch`, `22,632,932 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number_of_bytes: int) -> str:
    """Bytes in the largest decimal unit that fits: `512 B`, `1.2 kB`, `36.3 MB`."""
    value = float(number_of_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:,.1f} {unit}"
