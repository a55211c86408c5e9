"""Replaces values by others of the same shape, with a random key that is forgotten when the process ends.

Equal values get equal replacements in every table, and different ones different ones, so keys stay unique and joins
survive. Letters become letters of the same kind, digits become digits, and the rest of a text stays. Numbers keep their
sign, their number of digits and, if they are whole, that they are whole; 0 stays 0.

Dates and times move back by whole weeks, all those of one owner by as many: who bought before still bought before.

This hides values. It does not make people anonymous: who knows how often a value occurs may recognise it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

ROUNDS = 6
BLOCK = 128
"""A letter becomes one from its own block of so many code points: Latin, Greek, Cyrillic and so on."""
INTEGER_LIMITS = (127, 32_767, 2_147_483_647, 9_223_372_036_854_775_807)
"""The largest values of the integer types. A replacement fits every type that its value fits."""
WEEKS = 52
"""A date moves back by 1 to so many weeks."""
REMEMBERED = 200_000

_NUMBER = re.compile(r"([+-]?)(0*)(\d*)(?:(\.)(\d*))?((?:[eE][+-]?\d+)?)", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})((?:[ T]\d{2}:\d{2}.*)?)", re.DOTALL | re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass
class Masks:
    """Replaces values, consistently for one key."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _remembered: dict[Any, Any] = field(default_factory=dict, repr=False)

    def replace_all(self, values: Sequence[Any], owners: Sequence[Any] = ()) -> list[Any]:
        """Replacements of values of one column. Null stays null.

        `owners` says whose each value is, such as the customer's key; without one a row is its own.
        """
        pairs = zip(values, owners or [None] * len(values), strict=True)
        return [None if value is None else self.replace(value, owner) for value, owner in pairs]

    def choose_all(self, values: Iterable[Any], allowed: Sequence[Any]) -> list[Any]:
        """A random one of the allowed values instead of each. Null stays null."""
        return [None if value is None else secrets.choice(allowed) for value in values]

    def replace(self, value: Any, owner: Any = None) -> Any:
        """The replacement of a text, number, date, timestamp, time or UUID. Null for a value of any other type."""
        if isinstance(value, date):
            return self._earlier(value, owner)
        if isinstance(value, str) and (found := _DATE.fullmatch(value)) and (masked := self._date_text(found, owner)):
            return masked
        place = (type(value), value)
        if place not in self._remembered:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[place] = self._replace(value)
        return self._remembered[place]

    def _replace(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case int() if not isinstance(value, bool):
                return int(self._number(str(value)))
            case float():
                return float(self._number(repr(value)))
            case Decimal():
                return Decimal(self._number(str(value)))
            case time():
                moved = int.from_bytes(self._digest("time", "", 8)) % 86_400
                return (datetime.combine(date(2000, 1, 1), value) + timedelta(seconds=moved)).timetz()
            case UUID():
                return self._uuid(str(value))
        return None

    def _earlier(self, moment: Any, owner: Any) -> Any:
        """A date or timestamp, some weeks earlier."""
        whose = secrets.token_hex(8) if owner is None else re.sub(r"^0+(?=\d+$)|\.0+$", "", str(owner))
        weeks = int.from_bytes(self._digest("weeks", whose, 8)) % WEEKS + 1
        try:
            return moment - timedelta(weeks=weeks)
        except OverflowError:
            return moment

    def _text(self, text: str) -> str:
        if _NUMBER.fullmatch(text):
            return self._number(text)
        if _UUID.fullmatch(text):
            new = str(self._uuid(text.lower()))
            return new.upper() if text.isupper() else new
        return self._shuffle(text)

    def _date_text(self, found: re.Match[str], owner: Any) -> str:
        """The replacement of an ISO date or timestamp in a text. Empty if there is no such date."""
        try:
            day = date.fromisoformat(found[1])
        except ValueError:
            return ""
        return f"{self._earlier(day, owner)}{found[2]}"

    def _number(self, text: str) -> str:
        found = _NUMBER.fullmatch(text)
        if not found or not (found[3] or found[5]):
            # Infinity, not a number, or zero.
            return text
        sign, zeros, whole, point, fraction, exponent = (part or "" for part in found.groups())
        if not fraction.strip("0"):
            return f"{sign}{zeros}{self._whole(whole)}{point}{fraction}{exponent}"
        digits = self._walk(whole + fraction, bool(whole))
        return f"{sign}{zeros}{digits[: len(whole)]}{point}{digits[len(whole) :]}{exponent}"

    def _whole(self, digits: str) -> str:
        """Another whole number with as many digits that fits the same integer types."""
        if not digits:
            return digits
        largest = next((limit for limit in INTEGER_LIMITS if int(digits) <= limit), None)
        smaller = max((limit for limit in INTEGER_LIMITS if largest and limit < largest), default=-1)
        while True:
            digits = self._walk(digits, starts_above_zero=True)
            if largest is None or smaller < int(digits) <= largest:
                return digits

    def _walk(self, digits: str, starts_above_zero: bool) -> str:
        """Shuffle until the first digit is not 0. Whoever walks the same circle back finds the value: all differ."""
        while True:
            digits = self._shuffle(digits)
            if not starts_above_zero or digits[0] != "0":
                return digits

    def _uuid(self, text: str) -> UUID:
        return UUID(bytes=self._digest("uuid", text, 16))

    def _shuffle(self, text: str) -> str:
        """A keyed permutation of all texts with the same pattern of letters, digits and other characters.

        It is a Feistel network: in turn, one half of the characters is moved by a hash of the other half.
        """
        kinds = [_alphabet(character) for character in text]
        places = [place for place, kind in enumerate(kinds) if kind]
        sizes = [len(kinds[place]) for place in places]
        found = [kinds[place].index(text[place]) for place in places]
        half = len(places) // 2
        for turn in range(ROUNDS):
            start, end, kept = (half, len(places), found[:half]) if turn % 2 == 0 else (0, half, found[half:])
            moves = memoryview(self._digest(f"text{turn}", str(kept), 2 * (end - start))).cast("H")
            found[start:end] = [(found[n] + moves[n - start]) % sizes[n] for n in range(start, end)]
        characters = list(text)
        for place, number in zip(places, found, strict=True):
            characters[place] = kinds[place][number]
        return "".join(characters)

    def _digest(self, what: str, text: str, length: int) -> bytes:
        return hashlib.shake_256(self.key + what.encode() + b"\0" + text.encode("utf-8", "surrogatepass")).digest(
            length
        )


@lru_cache(maxsize=10_000)
def _alphabet(character: str) -> str:
    """The characters that may replace a letter or digit: those of its block and kind. Empty for other characters."""
    if not character.isalnum():
        return ""
    start, kind = ord(character) // BLOCK * BLOCK, unicodedata.category(character)
    return "".join(chr(code) for code in range(start, start + BLOCK) if unicodedata.category(chr(code)) == kind)
