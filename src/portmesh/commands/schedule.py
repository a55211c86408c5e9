"""`portmesh schedule`: write from the mesh what Airflow makes its DAGs from, or check that it is up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.catalog.reading import parse_without_pages
from portmesh.commands.options import AsJson
from portmesh.dbt import parse_manifest
from portmesh.mesh import read_mesh
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.repository import find_root
from portmesh.schedule.schedule import SCHEDULE, Schedule, read_schedule
from portmesh.text import count, facts_block


def schedule(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the file is out of date.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the schedule that Airflow's DAGs come from.

    That is orchestration/dags/portmesh_schedule.json. When a product is built is declared in its group: schedule, on,
    timeout, retries and upkeep of config.meta.
    """
    root = find_root()
    with errors_as_json(as_json):
        found = read_schedule(read_mesh(parse_without_pages(root, parse_manifest)))
        text = found.render()
        if check:
            SCHEDULE.assert_up_to_date(root, text)
        changed = not check and SCHEDULE.update(root, text)
    if as_json:
        starts = {name: product.starts for name, product in found.products.items()}
        print_json({"products": starts, "written": [str(SCHEDULE.path)] if changed else []})
    else:
        _print(found, changed)


def _print(found: Schedule, changed: bool) -> None:
    what = f"Wrote {SCHEDULE.path}" if changed else f"{SCHEDULE.path} is up to date"
    out = console()
    out.print(f"{what}: {count(len(found.products), 'product')}.\n", markup=False)
    rows = [
        (name, product.starts, product.upkeep or "by hand only", ", ".join(product.reads) or "none")
        for name, product in found.products.items()
    ]
    out.print(table(("product", "starts (UTC)", "upkeep", "reads"), rows))
    if changed:
        step = "commit the file, then deploy it: Airflow's DAGs change only then (docs/airflow.md)"
        out.print(f"\n{facts_block([('next', step)])}", markup=False)
