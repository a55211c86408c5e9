"""A masked value has the shape of its original; equal values stay equal, different ones different."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portmesh.sampling.masking import Masks

MASKS = Masks(b"a key for the tests")


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("Ana Müller", r"[A-Z][a-z]{2} [A-Z][à-öø-ÿß][a-z]{4}"),
        ("ana@example.com", r"[a-z]{3}@[a-z]{7}\.[a-z]{3}"),
        ("DE89 3704 0044", r"[A-Z]{2}\d\d \d{4} \d{4}"),
        ("00042", r"000[1-9]\d"),
        ("1987-03-12", r"198[67]-[01]\d-[0-3]\d"),
        ("1987-03-12 08:30:00.25", r"198[67]-[01]\d-[0-3]\d 08:30:00.25"),
        ("9999-99-99", r"\d{4}-\d\d-\d\d"),
        ("-12.50", r"-[1-9]\d\.\d\d"),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("", ""),
        ("0", "0"),
        ("Ω 東京", r"[Ͱ-ϵ] .."),
        (4711, r"[1-9]\d{3}"),
        (-4711, r"-[1-9]\d{3}"),
        (5123.45, r"[1-9]\d{3}\.\d{1,2}"),
        (0.25, r"0\.\d{1,2}"),
        (Decimal("5123.45"), r"[1-9]\d{3}\.\d{2}"),
        (Decimal("5123.00"), r"[1-9]\d{3}\.00"),
        (float("inf"), "inf"),
    ],
)
def test_the_shape_stays(value: Any, pattern: str) -> None:
    new = MASKS.replace(value)
    assert type(new) is type(value)
    assert re.fullmatch(pattern, str(new)), new
    assert new != value or len(str(value)) <= 1 or value == float("inf")


def test_the_same_value_is_the_same_in_every_type() -> None:
    """So a key that is a number in one table and a text or a decimal in another still joins."""
    number = MASKS.replace(2500)
    assert MASKS.replace("2500") == str(number)
    assert MASKS.replace("0002500") == f"000{number}"
    assert MASKS.replace(2500.0) == float(number)
    assert MASKS.replace(Decimal("2500.00")) == Decimal(f"{number}.00")


@pytest.mark.parametrize("values", [range(-300, 40_000, 7), [f"C{number}" for number in range(5_000)]])
def test_different_values_stay_different(values: Any) -> None:
    assert len(set(MASKS.replace_all(values))) == len(values)


@pytest.mark.parametrize("largest", [127, 32_767, 2_147_483_647, 9_223_372_036_854_775_807])
def test_a_number_fits_its_type(largest: int) -> None:
    values = range(largest - 20, largest + 1)
    assert max(MASKS.replace_all(values)) <= largest
    assert len(set(MASKS.replace_all(values))) == len(values)


def test_the_dates_of_one_owner_move_together_by_whole_weeks() -> None:
    start, end = date(2026, 5, 1), datetime(2026, 5, 9, 12, 30)
    moves = set()
    for owner in range(200):
        new_start, new_end = MASKS.replace(start, owner), MASKS.replace(end, owner)
        assert new_end - datetime.combine(new_start, time()) == end - datetime.combine(start, time())
        assert MASKS.replace("2026-05-01", owner) == new_start.isoformat()
        moves.add((start - new_start).days)
    assert {move % 7 for move in moves} == {0}
    assert min(moves) >= 7
    assert len(moves) > 40
    assert MASKS.replace(start, 42) == MASKS.replace(start, "0042") == MASKS.replace(start, 42.0)


def test_without_an_owner_each_row_moves_by_itself() -> None:
    assert len(set(MASKS.replace_all([date(2026, 5, 1)] * 200))) > 30
    assert len(set(MASKS.replace_all([date(2026, 5, 1)] * 200, ["x"] * 200))) == 1
    assert MASKS.replace(date.min) == date.min
    assert isinstance(MASKS.replace(time(8, 30)), time)


def test_another_key_gives_other_values() -> None:
    assert Masks().replace("Ana Müller") != Masks().replace("Ana Müller")
    assert "key" not in repr(Masks())


def test_null_stays_null_and_what_has_no_mask_becomes_null() -> None:
    assert MASKS.replace_all([None, b"a secret", {"name": "Ana"}.get("x")]) == [None, None, None]
    assert isinstance(MASKS.replace(UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")), UUID)


def test_a_value_of_a_set_stays_in_it() -> None:
    new = MASKS.choose_all(["gold", None, "gold"] * 50, ["gold", "silver", "bronze"])
    assert set(new) == {"gold", "silver", "bronze", None}
    assert new.count(None) == 50
