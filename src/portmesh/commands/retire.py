"""`portmesh retire`: drop ports that no model of the mesh builds any more."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from portmesh.commands.options import Confirmed, Target
from portmesh.dbt import run_operation
from portmesh.output import console


def retire(
    name: Annotated[str, typer.Argument(metavar="NAME", help="orders.order_lines, or orders for a whole domain.")],
    early: Annotated[
        bool,
        typer.Option(
            "--early", help="Drop it even if its last version lists consumers or its deprecation date is ahead."
        ),
    ] = False,
    yes: Confirmed = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be dropped; the same as without --yes.")
    ] = False,
    target: Target = None,
) -> None:
    """Drop a port or domain that no model builds any more.

    All its versions are dropped too. It is refused while something still reads the port.
    """
    arguments = {"name": name, "early": early, "confirmed": yes and not dry_run}
    for line in run_operation("retire", json.dumps(arguments), target):
        console().print(line, markup=False, soft_wrap=True)
