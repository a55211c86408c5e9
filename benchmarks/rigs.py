"""The rig that a benchmark uses, and a description of the machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tests.mesh import Mesh
from tests.rig_client import MANY_SESSIONS, Rig

ICEBERG = {"+file_format": "iceberg", "+table_type": "iceberg"}
TRINO_HEAP = "9G"
"""A query gets a third of this heap. Writing 29 million rows needs more than 1 GB."""
FRESHNESS = "        freshness: {column: landed_at, warn_after: {count: 24, period: hour}}\n"


@contextmanager
def rig_up() -> Iterator[None]:
    """Start both engines on one lake and set their variables: the rig of PORTMESH_RIG_HOME, or a new one."""
    given = os.environ.get("PORTMESH_RIG_HOME")
    os.environ.setdefault("RIG_TRINO_HEAP", TRINO_HEAP)
    with tempfile.TemporaryDirectory() as own:
        rig = Rig(Path(given or own))
        try:
            rig.command("up", "emr", "athena", *MANY_SESSIONS)
            os.environ.update(rig.variables())
            yield
        finally:
            if not given:
                rig.command("down")


def set_up(mesh: Mesh, environment: str, sources: tuple[str, ...], own: Mapping[str, Any] | None = None) -> None:
    """The project with the domain `bench`. With `own`, its ports are dbt tables with these settings."""
    mesh.set_up("bench", environment=environment, sources=sources)
    path = mesh.folder / "dbt_project.yml"
    project = yaml.safe_load(path.read_text())
    project["models"] |= ICEBERG
    if own is not None:
        project["models"]["bench"]["output_ports"] = {"+materialized": "table", **own}
        project["on-run-start"] = []
    path.write_text(yaml.safe_dump(project))


def write_port(mesh: Mesh, name: str, sql: str, columns: str, extra: str = "") -> None:
    """The port `bench.<name>` with only these checks."""
    mesh.port(
        f"bench/{name}", sql, columns, extra, "exemptions: [{rule: PM106, reason: A benchmark., until: 2099-12-31}]"
    )
    path = mesh.folder / f"domains/bench/models/output_ports/{name}.yml"
    path.write_text(path.read_text().replace(FRESHNESS, ""))


def machine() -> str:
    """The date and the machine: `23 November 2026, 2 cores, 24 GiB`."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{date.today():%-d %B %Y}, {os.cpu_count()} cores, {memory:.0f} GiB"
