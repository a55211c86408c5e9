"""What dbt parsed can be read again, so that it parses only what changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg

from dbt_portmesh.saved_parses import read_any_key, read_text_keys
from portmesh import dbt
from tests.mesh import REPOSITORY, Mesh
from tests.test_rules import PRODUCT


@pytest.mark.thorough
def test_the_parse_of_the_repository_is_kept(tmp_path: Path) -> None:
    dbt.parse(["--target-path", str(tmp_path), "--log-path", str(tmp_path)], REPOSITORY)
    saved = (tmp_path / PARTIAL_PARSE_FILE_NAME).read_bytes()
    assert Manifest.from_msgpack(saved, decoder=read_any_key).nodes


def parse(mesh: Mesh) -> list[str]:
    """The names of dbt's events."""
    names: list[str] = []

    def listen(event: EventMsg) -> None:
        names.append(event.info.name)

    place = ["--project-dir", str(mesh.folder), "--profiles-dir", str(mesh.folder)]
    assert dbtRunner(callbacks=[listen]).invoke(["parse", "--no-write-json", *place]).success
    return names


@pytest.mark.parametrize("key", ["on", "2026", "1.5", "2026-11-26", "null"])
def test_a_key_that_is_no_text_costs_no_parse(good: Mesh, key: str) -> None:
    path = good.folder / PRODUCT
    path.write_text(path.read_text().replace("channel: '#shop'", f"channel: '#shop'\n      {key}: inputs"))
    assert "PartialParsingSkipParsing" not in parse(good)
    assert "PartialParsingSkipParsing" in parse(good)


def test_dbt_alone_reads_text_only(good: Mesh) -> None:
    """Once this fails, dbt reads any key, and dbt_portmesh/saved_parses.py can go."""
    path = good.folder / PRODUCT
    path.write_text(path.read_text().replace("channel: '#shop'", "channel: '#shop'\n      on: inputs"))
    parse(good)
    with pytest.raises(ValueError, match="not allowed for map key"):
        read_text_keys((good.folder / "target" / PARTIAL_PARSE_FILE_NAME).read_bytes())
