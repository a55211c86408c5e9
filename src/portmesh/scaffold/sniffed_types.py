"""Finds the type of each column of texts, and how numbers, dates and missing values are written in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from portmesh.lake.conversion import around_numbers
from portmesh.text import text_literal

NULLS = ("null", "n/a", "na", "nan", "none", "nil", "-", "--", "k.a.", "k. a.", "#n/a", "#nv", "#div/0!", "?", "\\n")
"""Texts that mean: no value, in a column where every other text is a number, a date or the like."""
ISO_DATE, ISO_TIME = (
    r"\d{4}-\d\d-\d\d",
    r"\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,6}0*)?)?( ?(Z|[+-]\d\d(:?\d\d)?))?",
)
ISO_FORMATS = {"dates": ["%Y-%m-%d"], "timestamps": ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]}
"""What a contract's key needs for ISO once it names other formats, too."""
DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y")
TIMES = ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p")
RIVALS = ("%d/%m/%Y", "%m/%d/%Y")
BOOLEANS = (("true", "false"), ("yes", "no"), ("y", "n"), ("ja", "nein"), ("j", "n"), ("wahr", "falsch"), ("t", "f"))
STYLES = ((".", ","), (",", "."), (",", " "), (".", "'"))
"""The decimal point and what separates thousands, as they occur together."""
CURRENCIES = ("€", "$", "£", "¥", "EUR", "USD", "GBP", "CHF")
MOST_DIGITS = 38
MOST_ODD = 0.05
"""The share of odd values up to which a column is said to be text only because of them."""


@dataclass(frozen=True)
class Texts:
    """The columns of the table rows_of_file by their number, each with its name in the file."""

    database: duckdb.DuckDBPyConnection
    names: Mapping[int, str]
    delimiter: str
    formats: Sequence[str] = ()
    currency: str = ""


@dataclass(frozen=True)
class Odd:
    """A column that is text only because a few of its values are not of `data_type`: how many, such as `example`.

    `landing` has what the contract would need in addition.
    """

    number: int
    data_type: str
    said: str
    example: str
    landing: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Types:
    """The type of each column by its number, the keys of the landing contract, and what a person should look at."""

    of: dict[int, str] = field(default_factory=dict)
    landing: dict[str, Any] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    odd: list[Odd] = field(default_factory=list)


@dataclass(frozen=True)
class _Numbers:
    """How many values of a column are numbers in each style, and how many digits they have before and after."""

    values: int
    of: Mapping[tuple[str, str], tuple[int, int, int]]
    scientific: int
    leading_zeros: int


def types_of(texts: Texts) -> Types:
    """The types of all columns, and one way of writing numbers for the whole file."""
    found = Types()
    texts = replace(texts, currency=_currency(texts))
    counted = {number: _split_nulls(texts, number) for number in texts.names}
    numbers = {number: _numbers(texts, number, values) for number, (values, _) in counted.items()}
    for number, (values, _) in counted.items():
        found.of[number] = (_boolean(texts, number, found) if values else "") or "string"
    _find_times(texts, numbers, found)
    nulls = {
        text: texts.names[number]
        for number, (_, empty) in counted.items()
        for text in empty
        if found.of[number] != "string" or _is_number(numbers[number])
    }
    style = _style(texts, numbers, found)
    if texts.currency:
        found.landing["currency"] = texts.currency
    for number in texts.names:
        if found.of[number] == "string" and numbers[number].values:
            found.of[number] = _number_type(numbers[number], style)
            if found.of[number] == "string":
                _note_odd(texts, number, numbers[number], style, found)
    if nulls:
        found.landing["nulls"] = ["", *sorted(nulls)]
        found.notes.append(("no value", "\n".join(f"{text!r}, as in {name}" for text, name in sorted(nulls.items()))))
    return found


def _ask(texts: Texts, number: int, what: str) -> list[tuple[Any, ...]]:
    """What SQL says about the column's values; `x` is a value without the spaces around it, `n` without currency."""
    listed = ", ".join(f"'{text}'" for text in NULLS)
    bare = f"regexp_replace(x, '{around_numbers(texts.currency)}', '\\1')" if texts.currency else "x"
    return texts.database.execute(
        f"with texts as (select trim(c{number}) as x from rows_of_file), "
        f"values_of as (select x, {bare} as n from texts where x <> '' and lower(x) not in ({listed})) {what}"
    ).fetchall()


def _currency(texts: Texts) -> str:
    """What stands before or behind most numbers of some column; empty if nothing does."""
    found = dict.fromkeys(CURRENCIES, 0)
    counts = [rf"count_if(regexp_matches(x, '{around_numbers(one)}') and x ~ '.*\d.*')" for one in CURRENCIES]
    for number in texts.names:
        ((values, *row),) = _ask(texts, number, f"select count(*), {', '.join(counts)} from values_of")
        for one, times in zip(CURRENCIES, row, strict=True):
            found[one] += times if times and 2 * times > values else 0
    best = max(CURRENCIES, key=lambda one: found[one])
    return best if found[best] else ""


def _split_nulls(texts: Texts, number: int) -> tuple[int, list[str]]:
    """The number of values, and the texts that may mean: no value."""
    ((values,),) = _ask(texts, number, "select count(*) from values_of")
    listed = ", ".join(f"'{text}'" for text in NULLS)
    return values, [x for (x,) in _ask(texts, number, f"select distinct x from texts where lower(x) in ({listed})")]


# Booleans


def _boolean(texts: Texts, number: int, found: Types) -> str:
    rows = _ask(texts, number, "select distinct lower(x) from values_of limit 3")
    words = {word for (word,) in rows}
    for true, false in BOOLEANS:
        is_pair = words == {true, false} or (true == "true" and words and words <= {true, false})
        if is_pair:
            for key, word in (("true_values", true), ("false_values", false)):
                if word not in ("true", "false") and word not in found.landing.get(key, []):
                    found.landing[key] = [*found.landing.get(key, [key.partition("_")[0]]), word]
            return "boolean"
    return ""


# Dates and timestamps


@dataclass(frozen=True)
class _Times:
    """A column of whose values some format reads almost every one: the formats, "" for ISO, and how each is read.

    `read` has, for each set of formats that read a value, which they are; `odd` says how many values none reads.
    """

    kind: str
    formats: Sequence[str]
    read: Sequence[Sequence[int]]
    odd: int
    example: str

    def reads_all_of(self, one: str, other: str) -> bool:
        """Whether `other` reads whatever `one` reads."""
        at, instead = self.formats.index(one), self.formats.index(other)
        return all(bits[instead] or not bits[at] for bits in self.read)


def _times(texts: Texts, number: int, values: int) -> _Times | None:
    stated = [one for one in texts.formats if not re.search("%-?[HI]", one)]
    days = [*stated, *(one for one in DATES if one not in stated and _rival(one) not in stated)]
    moments = [one for one in texts.formats if one not in stated]
    moments += [one for day in days for time in TIMES if (one := f"{day} {time}") not in moments]
    for kind, iso, cast, formats in (
        ("date", ISO_DATE, "date", days),
        ("timestamp", ISO_TIME, "timestamptz", moments),
    ):
        tests = [f"regexp_full_match(x, '{iso}') and try_cast(x as {cast}) is not null"]
        tests += [f"coalesce({_reads(one)}, false)" for one in formats]
        bits = ", ".join(f"({test})::int" for test in tests)
        rows = _ask(texts, number, f"select [{bits}], count(*), min(x) from values_of group by 1")
        read = [bits for bits, _, _ in rows if any(bits)]
        odd, example = next(((times, x) for bits, times, x in rows if not any(bits)), (0, ""))
        if read and odd <= MOST_ODD * values:
            return _Times(kind, ["", *formats], read, odd, example)
    return None


def _reads(one: str) -> str:
    parsed = f"try_strptime(x, '{one.replace(chr(39), chr(39) * 2)}')"
    return f"{parsed} is not null" + (f" and year({parsed}) >= 1000" if "%Y" in one else "")


def _cover(times: _Times) -> list[str]:
    """The fewest formats that read every value, the most common first."""
    chosen: list[int] = []
    while left := [bits for bits in times.read if not any(bits[place] for place in chosen)]:
        chosen.append(max(range(len(left[0])), key=lambda place: (sum(bits[place] for bits in left), -place)))
    return [times.formats[place] for place in chosen]


def _rival(one: str) -> str:
    """The format with day and month the other way round; empty if no one writes so."""
    for first, second in (RIVALS, RIVALS[::-1]):
        if one.startswith(first):
            return second + one.removeprefix(first)
    return ""


def _formats_of(columns: Mapping[int, _Times], texts: Texts, found: Types) -> dict[int, list[str]]:
    """The formats of each column. Where day and month may be either, the columns where they are certain decide."""
    covers = {number: _cover(times) for number, times in columns.items()}
    unsure: dict[int, list[str]] = {}
    certain: set[str] = set()
    for number, used in covers.items():
        times = columns[number]
        unsure[number] = [
            one for one in used if (other := _rival(one)) in times.formats and other and times.reads_all_of(one, other)
        ]
        certain |= {one for one in used if one not in unsure[number]}
    for number, open_ones in unsure.items():
        for one in open_ones:
            other = _rival(one)
            if other in certain and one not in certain:
                covers[number] = [other if each == one else each for each in covers[number]]
            elif one not in certain:
                said = f"{texts.names[number]}: read as {one}; {other} fits too: --date-format {other!r}"
                found.notes.append(("ambiguous", said))
    return covers


def _find_times(texts: Texts, numbers: Mapping[int, _Numbers], found: Types) -> None:
    maybe = [n for n, kind in found.of.items() if kind == "string" and numbers[n].values and not _is_number(numbers[n])]
    known = {number: times for number in maybe if (times := _times(texts, number, numbers[number].values))}
    columns = {number: times for number, times in known.items() if not times.odd}
    formats = _formats_of(columns, texts, found)
    for kind, key in (("date", "dates"), ("timestamp", "timestamps")):
        of_kind = [number for number, times in columns.items() if times.kind == kind]
        used = list(dict.fromkeys(one for number in of_kind for one in formats[number]))
        if any(_rival(one) in used for one in used if _rival(one)):
            names = ", ".join(texts.names[number] for number in of_kind)
            found.notes.append(("as text", f"{names}: day and month are in both orders"))
            continue
        found.of |= dict.fromkeys(of_kind, kind)
        if any(used):
            found.landing[key] = _named(key, used)
        for number in [number for number, times in known.items() if times.kind == kind and times.odd]:
            _note_odd_times(texts, number, numbers[number].values, known[number], key, found)


def _named(key: str, formats: Sequence[str]) -> list[str]:
    """The formats as the contract has them."""
    return [name for one in formats for name in ([one] if one else ISO_FORMATS[key])]


def _note_odd_times(texts: Texts, number: int, values: int, times: _Times, key: str, found: Types) -> None:
    """Note a column of which almost all values are dates, or timestamps; `key` is that of the contract."""
    used = found.landing.get(key, [])
    wanted = _formats_of({number: times}, texts, Types())[number]
    named = _named(key, wanted) if used or any(wanted) else []
    landing = {key: [*used, *(one for one in named if one not in used)]} if set(named) - set(used) else {}
    is_odd = f"is not a {times.kind}" if times.odd == 1 else f"are not {times.kind}s"
    said = f"{times.odd:,} of {values:,} values {is_odd}"
    found.odd.append(Odd(number, times.kind, said, times.example, landing))


# Numbers


def _numbers(texts: Texts, number: int, values: int) -> _Numbers:
    parts = []
    for point, group in STYLES:
        is_one, sign = _is_one((point, group)), _group(group)
        plain = f"regexp_replace(n, '{sign}|[+-]', '', 'g')"
        parts += [
            f"count_if({is_one})",
            f"max(length(split_part({plain}, '{point}', 1))) filter ({is_one})",
            f"max(length(split_part({plain}, '{point}', 2))) filter ({is_one})",
        ]
    parts += [r"count_if(regexp_full_match(n, '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?'))"]
    parts += [r"count_if(regexp_matches(n, '^[+-]?0\d'))"]
    (row,) = _ask(texts, number, f"select {', '.join(parts)} from values_of")
    of = {style: (row[3 * n], row[3 * n + 1] or 0, row[3 * n + 2] or 0) for n, style in enumerate(STYLES)}
    return _Numbers(values, of, row[-2], row[-1])


def _group(sign: str) -> str:
    return {".": "[.]", ",": ",", " ": "[ \u00a0\u202f]", "'": "''"}[sign]


def _is_one(style: tuple[str, str]) -> str:
    """SQL that says whether `n` is a number in this style."""
    sign = _group(style[1])
    return rf"regexp_full_match(n, '[+-]?(\d{{1,3}}({sign}\d{{3}})+|\d+)([{style[0]}]\d*)?')"


def _is_number(numbers: _Numbers) -> bool:
    return not numbers.leading_zeros and numbers.values in (numbers.scientific, *(n for n, *_ in numbers.of.values()))


def _style(texts: Texts, numbers: Mapping[int, _Numbers], found: Types) -> tuple[str, str]:
    """The style in which most columns are numbers."""
    candidates = {
        style: [number for number, column in numbers.items() if column.values and column.of[style][0] == column.values]
        for style in STYLES
    }
    most = max(len(columns) for columns in candidates.values())
    best = [style for style, columns in candidates.items() if len(columns) == most]
    # Whoever separates values by a semicolon needs the comma for something else.
    style = next((one for one in best if one[0] == "," and texts.delimiter == ";"), best[0])
    columns = candidates[style]
    groups = [number for number in columns if _has(texts, number, style[1])]
    points = [number for number in columns if _has(texts, number, style[0])]
    if style[0] != "." and points:
        found.landing["decimal"] = style[0]
    if groups:
        found.landing["thousands"] = style[1]
    if style[0] != "." and not points and groups:
        found.landing["decimal"] = style[0]
    rivals = [one for one in best if one != style and one[0] == style[1]]
    if rivals and (groups or points):
        name = texts.names[(groups or points)[0]]
        found.notes.append(("ambiguous", f"{name}: {style[1]!r} may separate thousands or decimals; see the YAML"))
    return style


def _has(texts: Texts, number: int, sign: str) -> bool:
    ((some,),) = _ask(texts, number, f"select count(*) > 0 from values_of where contains(n, {text_literal(sign)})")
    return bool(some)


def _number_type(numbers: _Numbers, style: tuple[str, str]) -> str:
    if numbers.leading_zeros:
        return "string"
    fitting, before, after = numbers.of[style]
    if fitting == numbers.values:
        if not after:
            return "bigint" if before <= 18 else f"decimal({MOST_DIGITS},0)" if before <= MOST_DIGITS else "string"
        digits = 18 if before + after <= 18 else MOST_DIGITS
        return f"decimal({digits},{after})" if after <= 6 and before + after <= digits else "double"
    return "double" if numbers.scientific == numbers.values and style[0] == "." else "string"


def _note_odd(texts: Texts, number: int, numbers: _Numbers, style: tuple[str, str], found: Types) -> None:
    """Note a column of which almost all values are numbers. If no column has set the style, it has its own."""
    signs = ("decimal", "thousands")
    is_free = not any(key in found.landing for key in signs)
    style = max((style, *STYLES), key=lambda one: numbers.of[one][0]) if is_free else style
    odd = numbers.values - numbers.of[style][0]
    if numbers.leading_zeros or not 0 < odd <= MOST_ODD * numbers.values:
        return
    ((example,),) = _ask(texts, number, f"select min(x) from values_of where not {_is_one(style)}")
    said = f"{odd:,} of {numbers.values:,} values {'is not a number' if odd == 1 else 'are not numbers'}"
    type_ = _number_type(replace(numbers, values=numbers.of[style][0]), style)
    used = {key: sign for key, sign in zip(signs, style, strict=True) if sign != "." or key == "thousands"}
    landing = {key: sign for key, sign in used.items() if key not in found.landing and _has(texts, number, sign)}
    found.odd.append(Odd(number, type_, said, example, landing))
