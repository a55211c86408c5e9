"""What dbt parsed can be read again, so that it parses only what changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import Manifest

from portmesh.dbt import parse
from tests.mesh import REPOSITORY, Mesh
from tests.test_rules import PRODUCT


def kept(root: Path, folder: Path) -> Manifest:
    """What the next command of dbt reads instead of the files."""
    parse(["--target-path", str(folder), "--log-path", str(folder)], root)
    return Manifest.from_msgpack((folder / PARTIAL_PARSE_FILE_NAME).read_bytes())


@pytest.mark.thorough
def test_the_parse_of_the_repository_is_kept(tmp_path: Path) -> None:
    assert kept(REPOSITORY, tmp_path).nodes


def test_a_key_that_is_no_text_is_why_it_is_not_kept(good: Mesh, tmp_path: Path) -> None:
    """Once this fails, dbt reads such keys again, and PM125 and PM114 may accept them."""
    assert kept(good.folder, tmp_path / "text").nodes
    path = good.folder / PRODUCT
    path.write_text(path.read_text().replace("channel: '#shop'", "channel: '#shop'\n      on: inputs"))
    with pytest.raises(ValueError, match="not allowed for map key"):
        kept(good.folder, tmp_path / "no text")
