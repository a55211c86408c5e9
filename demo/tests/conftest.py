"""Fixtures for the tests of the demonstration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.portmesh_call import call


@pytest.fixture(scope="session")
def three_weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the first three weeks and all snapshots. Do not change it."""
    from test_land import LANDED_AT

    folder = tmp_path_factory.mktemp("landed") / "lake"
    assert call("demo", "land", "--until", "2017-W03", "--lake", str(folder), "--landed-at", LANDED_AT) == 0
    return folder
