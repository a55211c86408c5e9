"""Writes what is generated from the mesh: the catalog's pages, the domains' rights on AWS and Airflow's schedule."""

from __future__ import annotations

from pathlib import Path

from portmesh.catalog.files import find_differences, read_readmes, write_pages
from portmesh.catalog.pages import render_pages
from portmesh.catalog.reading import parse_without_pages
from portmesh.dbt import parse_with_checks
from portmesh.infra import template as infra
from portmesh.infra.rights import read_rights
from portmesh.mesh import read_mesh
from portmesh.schedule import file as schedule
from portmesh.schedule.schedule import read_schedule


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
    text = infra.render_template(read_rights(mesh))
    if not infra.is_up_to_date(root, text):
        infra.write_template(root, text)
        written.append(str(infra.PATH))
    text = read_schedule(mesh).render()
    if not schedule.is_up_to_date(root, text):
        schedule.write(root, text)
        written.append(str(schedule.PATH))
    return written
