"""Follows docs/first-port.md: from a dirty export to a published port, in a copy of the repository without any data."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from tests.mesh import REPOSITORY
from tests.repository import copy_repository
from tests.shop_export import write_export
from tests.test_docs_run import follow, typed


@pytest.mark.nightly
@pytest.mark.thorough
def test_a_dirty_export_becomes_a_port_as_the_page_shows(tmp_path: Path) -> None:
    folder = tmp_path / "portmesh"
    copy_repository(folder)
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    (folder / "exports").mkdir()
    for month in (1, 2, 3):
        write_export(folder / "exports", date(2026, month, 1))
    assert typed("dbt --quiet deps", folder) == (0, "")
    started = time.monotonic()
    assert follow(REPOSITORY / "docs/first-port.md", folder) == 12
    print(f"\n{time.monotonic() - started:.0f} seconds")
