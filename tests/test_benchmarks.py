"""The benchmarks count correctly."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("pyhive")
pytest.importorskip("trino")

from benchmarks.reading import Attempt, Read, error_kind, tally
from rig.billing import is_free_on_the_rig_alone

# Version 2 was published at 10, version 3 refused at 20, version 4 published at 30.
ATTEMPTS = [Attempt(1, 0, True), Attempt(2, 10, True), Attempt(3, 20, False), Attempt(4, 30, True)]


def seen(*reads: Read) -> tuple[int, int, int, int]:
    found = tally(reads, ATTEMPTS, rows=100)
    return found.errors.total(), found.mixed, found.stale, found.bad


@pytest.mark.parametrize(
    ("began", "version"),
    [(5, 1), (5, 2), (11, 2), (25, 2), (25, 4), (31, 4)],
    ids=["as it was", "in the switch", "the new one", "after a refusal", "in the next switch", "the newest"],
)
def test_a_whole_and_new_enough_version_is_nothing_to_count(began: float, version: int) -> None:
    assert seen(Read(began, began + 1, 100, version, version)) == (0, 0, 0, 0)


def test_two_versions_in_one_read_are_mixed() -> None:
    assert seen(Read(11, 12, 100, 1, 2)) == (0, 1, 0, 0)


@pytest.mark.parametrize("rows", [0, 99, 200])
def test_too_few_and_too_many_rows_are_mixed(rows: int) -> None:
    version = 2 if rows else None
    assert seen(Read(11, 12, rows, version, version)) == (0, 1, 0, 0)


@pytest.mark.parametrize(("began", "version"), [(10, 1), (25, 1), (31, 2)])
def test_older_than_what_was_out_before_the_read_began_is_stale(began: float, version: int) -> None:
    assert seen(Read(began, began + 1, 100, version, version)) == (0, 0, 1, 0)


def test_a_version_whose_checks_failed_is_bad() -> None:
    assert seen(Read(15, 16, 100, 3, 3), Read(25, 26, 100, 3, 3)) == (0, 0, 0, 2)


def test_an_error_is_an_error_and_nothing_else() -> None:
    found = tally([Read(1, 2, error="TABLE_NOT_FOUND"), Read(1, 4, 100, 1, 1)], ATTEMPTS, rows=100)
    assert (found.reads, found.errors, found.mixed) == (2, Counter({"TABLE_NOT_FOUND": 1}), 0)
    assert found.seconds == 2


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Error running query: [TABLE_OR_VIEW_NOT_FOUND] The table or view `a`", "TABLE_OR_VIEW_NOT_FOUND"),
        ("ICEBERG_BAD_DATA", "ICEBERG_BAD_DATA"),
        ("TStatus: org.apache.iceberg.exceptions.NotFoundException: Location does", "NotFoundException"),
        ("Connection refused", "Connection refused"),
    ],
)
def test_an_error_is_named_as_its_engine_names_it(message: str, kind: str) -> None:
    assert error_kind(message) == kind


@pytest.mark.parametrize(
    ("sql", "is_free"),
    [
        ("delete from shop.lines", True),
        ("/* {} */\n/* step: write */ DELETE FROM shop__internal.lines__20261123_061400_ab12cd\n", True),
        ("delete from shop.lines where line_id between 1 and 4", False),
        ("insert into shop.lines select * from (select 1) as delete_from", False),
    ],
)
def test_what_only_the_rig_does_for_nothing_is_known(sql: str, is_free: bool) -> None:
    assert is_free_on_the_rig_alone(sql) is is_free
