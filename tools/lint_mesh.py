"""Check the catalog's pages, the rights in infra/, Airflow's schedule and the domains' conventions.

dbt parses the mesh once for all of them, in a folder that is kept, so that the next run reads only changed files.

Usage: python -m tools.lint_mesh [FILE …]
Conventions are checked in the domains of these files; without files, or if one is not in a domain, in all domains.
Exit codes: 0 success, 1 findings, 2 wrong configuration, 3 an artifact is missing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from portmesh.catalog import files as catalog
from portmesh.catalog.findings import find_findings
from portmesh.catalog.pages import render_pages
from portmesh.catalog.reading import pages_asked_for, parse_without_pages
from portmesh.dbt import parse_with_checks
from portmesh.errors import PortmeshError
from portmesh.infra.rights import read_rights
from portmesh.infra.template import TEMPLATE, render_template
from portmesh.mesh import Mesh, read_mesh
from portmesh.schedule.schedule import SCHEDULE, read_schedule
from tools import lint_conventions

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "target/lint"


def check_catalog(mesh: Mesh) -> None:
    pages = render_pages(mesh, catalog.read_readmes(ROOT))
    differences = catalog.find_differences(ROOT, pages, on_any_day=True)
    catalog.assert_up_to_date(differences, find_findings(mesh, pages_asked_for(ROOT)))


def check_rights(mesh: Mesh) -> None:
    TEMPLATE.assert_up_to_date(ROOT, render_template(read_rights(mesh)))


def check_schedule(mesh: Mesh) -> None:
    SCHEDULE.assert_up_to_date(ROOT, read_schedule(mesh).render())


def domains_of(files: Sequence[str]) -> list[str]:
    """The domains of these files. Empty if one of the files is not in a domain."""
    parts = [Path(file).parts for file in files]
    return sorted({each[1] for each in parts}) if all(each[0] == "domains" for each in parts) else []


def exit_code(check: Callable[[], int | None]) -> int:
    """Run a check. Prints its error, if any, and returns its exit code."""
    try:
        return check() or 0
    except (PortmeshError, lint_conventions.LintError) as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)


def run(files: Sequence[str]) -> int:
    parsed, checks = parse_without_pages(ROOT, parse_with_checks, FOLDER)
    manifest = FOLDER / "target/manifest.json"
    manifest.write_text(json.dumps(parsed, default=str))
    mesh = read_mesh(parsed, checks)
    return max(
        exit_code(lambda: check_catalog(mesh)),
        exit_code(lambda: check_rights(mesh)),
        exit_code(lambda: check_schedule(mesh)),
        exit_code(lambda: lint_conventions.run(["--manifest", str(manifest), *domains_of(files)])),
    )


if __name__ == "__main__":
    raise SystemExit(exit_code(lambda: run(sys.argv[1:])))
