"""`portmesh rename`: carry the rows of a renamed port or domain over to its new name."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from portmesh.commands.options import Confirmed, Target
from portmesh.dbt import run_operation
from portmesh.output import console


def rename(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="The old name: orders.lines, or orders for a whole domain.")
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The new name: orders.order_lines, or the domain's new name.")
    ],
    yes: Confirmed = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be carried over; the same as without --yes.")
    ] = False,
    target: Target = None,
) -> None:
    """Carry a port's rows and history over to its new name.

    First rename the files of the port or domain, then run this, then build.
    """
    arguments = {"old": old, "new": new, "confirmed": yes and not dry_run}
    for line in run_operation("rename", json.dumps(arguments), target):
        console().print(line, markup=False, soft_wrap=True)
