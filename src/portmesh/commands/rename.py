"""`portmesh rename`: let a renamed port, or a renamed domain, go on from the rows of what it was."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from portmesh.commands.options import Confirmed, Target
from portmesh.dbt import run_operation
from portmesh.output import console


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="orders.lines, or orders for all of a domain.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="orders.order_lines, or the domain's new name.")],
    yes: Confirmed = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go on; the same as without --yes.")
    ] = False,
    target: Target = None,
) -> None:
    """Publish the rows of the old name under the new one, once its files are renamed and before its first build."""
    arguments = {"old": old, "new": new, "confirmed": yes and not dry_run}
    for line in run_operation("rename", json.dumps(arguments), target):
        console().print(line, markup=False, soft_wrap=True)
