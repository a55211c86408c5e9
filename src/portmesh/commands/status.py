"""`portmesh status`: the mesh at a glance."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.dbt import run_operation
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.status import MeshFacts, MeshStatus, age, describe_mesh, utc_now


def status(as_json: Annotated[bool, typer.Option("--json", help="The same facts as JSON.")] = False) -> None:
    """Show each port with its state, rows, age and refused attempts."""
    with errors_as_json(as_json):
        facts = MeshFacts.model_validate_json(run_operation("mesh_status")[-1])
    mesh = describe_mesh(facts, utc_now())
    if as_json:
        print_json(mesh.model_dump(mode="json"))
    else:
        _print(mesh)


def _print(mesh: MeshStatus) -> None:
    rows = [
        (
            port.product,
            port.port,
            port.state,
            "" if port.rows is None else f"{port.rows:,}",
            "" if port.age_seconds is None else age(port.age_seconds),
            port.last_attempt,
        )
        for port in mesh.ports
    ]
    out = console()
    out.print(f"{mesh.target}, {mesh.at:%-d %b %Y %H:%M} UTC\n", markup=False)
    out.print(table(("product", "port", "state", "rows", "age", "last attempt"), rows, numbers=("rows",), gap=2))
    out.print(f"\n{mesh.summary}", markup=False)
