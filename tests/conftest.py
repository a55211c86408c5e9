"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mesh import Mesh


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    """An empty mesh in a folder of its own."""
    return Mesh(tmp_path)
