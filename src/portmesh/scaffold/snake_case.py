"""Makes names for columns and tables from what people write at the top of their files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from portmesh.scaffold.names import reserved_words

SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "o", "Ø": "O"}
)
SIGNS = {"%": " percent ", "€": " eur ", "$": " usd ", "#": " number ", "&": " and "}


def snake_case(text: str) -> str:
    """The text in lower-case ASCII letters, digits and single underscores: `bestell_nr` for `Bestell-Nr.`."""
    text = text.translate(SPELLED)
    for sign, word in SIGNS.items():
        text = text.replace(sign, word)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))


def sql_name(text: str, otherwise: str = "column") -> str:
    """A name that SQL reads without quotes: `column_2nd` for `2nd`; `otherwise` if the text has no Latin letter."""
    name = snake_case(text) or otherwise
    return f"column_{name}" if name[0].isdigit() else name


def column_names(given: Sequence[str]) -> list[str]:
    """A name for each column, all different, none of them a reserved word of SQL."""
    found: list[str] = []
    for number, text in enumerate(given, start=1):
        name = sql_name(text, f"column_{number}")
        if name in reserved_words() or name == "feed":
            name = f"{name}_value"
        while name in found:
            name = f"{name}_{found.count(name) + 1}" if not re.search(r"_\d+$", name) else f"{name}_{number}"
        found.append(name)
    return found
