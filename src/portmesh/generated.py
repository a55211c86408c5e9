"""Writes what is generated from the mesh: the catalog's pages, the domains' rights on AWS and Airflow's schedule."""

from __future__ import annotations

from pathlib import Path

from portmesh.catalog.files import find_differences, read_readmes, write_pages
from portmesh.catalog.pages import render_pages
from portmesh.catalog.reading import parse_without_pages
from portmesh.dbt import parse_with_checks
from portmesh.infra.rights import read_rights
from portmesh.infra.template import TEMPLATE, render_template
from portmesh.mesh import read_mesh
from portmesh.schedule.schedule import SCHEDULE, read_schedule


def write_generated(root: Path) -> list[str]:
    """Write the pages, the template and the schedule that differ.

    Returns their paths; a page that is deleted is one of them.

    Raises FindingsError if the mesh cannot be read.
    """
    mesh = read_mesh(*parse_without_pages(root, parse_with_checks))
    pages = render_pages(mesh, read_readmes(root))
    differences = find_differences(root, pages)
    write_pages(root, pages, differences)
    written = [difference.path for difference in differences]
    made = ((TEMPLATE, render_template(read_rights(mesh))), (SCHEDULE, read_schedule(mesh).render()))
    return [*written, *(str(file.path) for file, text in made if file.update(root, text))]
