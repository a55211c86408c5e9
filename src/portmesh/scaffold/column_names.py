"""What a column's name says: whether it names an identifier, and whether two names mean the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portmesh.scaffold.snake_case import sql_name

ID_WORDS = frozenset(
    [
        *("id", "key", "sk", "bk", "pk", "no", "nr", "nbr", "num", "number", "nummer", "code", "uuid", "guid"),
        *("upc", "ean", "sku", "isbn", "iban", "vin"),
    ]
)
"""A column whose last word is one of these is an identifier by name."""

ID_ENDINGS = ("key", "number", "nummer", "num", "code", "uuid", "guid")
"""Endings of a last word without underscore: `partkey`, `tailnum`."""

TIME_WORDS = frozenset(("year", "quarter", "month", "week", "day", "hour", "minute", "date", "period"))


def words(name: str) -> list[str]:
    """`o_orderKey` → `["o", "order", "key"]`."""
    return sql_name(name).split("_")


def is_id(name: str) -> bool:
    """Whether the last word of a name is that of an identifier."""
    last = words(name)[-1]
    return last in ID_WORDS or last.endswith(ID_ENDINGS)


def is_part_of_time(name: str) -> bool:
    """Whether a name says when: `week`, `order_month`, and `sold_date_sk`, which refers to a table of dates."""
    return next((word for word in reversed(words(name)) if word not in ID_WORDS), "") in (*TIME_WORDS, "time")


def singular(name: str) -> str:
    """`flights` → `flight`, `categories` → `category`; good enough to compare names."""
    for plural, ending in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch")):
        if name.endswith(plural):
            return name.removesuffix(plural) + ending
    return name.removesuffix("s") if not name.endswith("ss") else name


def names_the_table(column: str, table: str) -> bool:
    """`flight` of `flights`; `customer_id` of `customers`; `c_customer_id` of `customer`."""
    own = [word for word in words(column) if word not in ID_WORDS]
    of_table = [singular(word) for word in words(table)]
    return bool(own) and [singular(word) for word in own][-len(of_table) :] == of_table


def shared_prefix(columns: Sequence[str]) -> str:
    """A prefix up to an underscore that all columns of a table have, such as `ss_`; else empty."""
    prefix = shared_start(columns) if len(columns) > 1 else ""
    return prefix[: prefix.rfind("_") + 1]


def shared_start(texts: Sequence[str]) -> str:
    """The characters with which all texts begin."""
    low, high = min(texts), max(texts)
    return next((low[:place] for place, one in enumerate(low) if one != high[place : place + 1]), low)


def refers_to(column: str, key: str, table: str) -> bool:
    """Whether a column's name means the `key` of `table`. Both names are without the prefix of their tables.

    The column ends with the words of the key (`sold_date_sk` and `date_sk`, `addr_sk` and `address_sk`). A key that is
    only `id` or `sk`, or a key that is named like its table, is known by the table's name.
    """
    of_column = words(column)
    of_key = words(key)
    if all(word in ID_WORDS for word in of_key):
        of_key = [*(singular(word) for word in words(table)), *of_key]
    return len(of_column) >= len(of_key) and all(
        _same(a, b) for a, b in zip(of_column[-len(of_key) :], of_key, strict=True)
    )


def _same(word: str, other: str) -> bool:
    """Equal, one an abbreviation of the other, or one with the initials of the table in front (`cdemo`, `demo`)."""
    short, long = sorted((singular(word), singular(other)), key=len)
    if short == long:
        return True
    return len(short) >= 3 and (long.startswith(short) or (len(long) - len(short) == 1 and long.endswith(short)))


def first_unused(name: str, used: Iterable[str]) -> str:
    """The name, or with a number if it is already used."""
    taken = set(used)
    return next(n for n in [name, *(f"{name}_{i}" for i in range(2, len(taken) + 3))] if n not in taken)
