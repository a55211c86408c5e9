"""`portmesh retire`: take away what no model of the mesh makes any more."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from portmesh.commands.options import Confirmed, Target
from portmesh.dbt import run_operation
from portmesh.output import console


def retire(
    name: Annotated[str, typer.Argument(metavar="NAME", help="orders.order_lines, or orders for all of a domain.")],
    early: Annotated[
        bool, typer.Option("--early", help="Although its last version lists consumers, or its date is not over.")
    ] = False,
    yes: Confirmed = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; the same as without --yes.")] = False,
    target: Target = None,
) -> None:
    """Drop a port, or a domain, that no model makes any more, with its versions, once nobody reads it."""
    arguments = {"name": name, "early": early, "confirmed": yes and not dry_run}
    for line in run_operation("retire", json.dumps(arguments), target):
        console().print(line, markup=False, soft_wrap=True)
