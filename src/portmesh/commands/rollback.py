"""`portmesh rollback`: give consumers the version of a port that they had before."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.commands.options import Target
from portmesh.dbt import run_operation
from portmesh.output import console


def rollback(
    port: Annotated[str, typer.Argument(metavar="PORT", help="orders.order_lines, or orders.order_lines.v2.")],
    target: Target = None,
) -> None:
    """Switch a port back to its previous published version, in one step, and record it."""
    for line in run_operation("rollback", f"{{port: '{port}'}}", target):
        console().print(line, markup=False, soft_wrap=True)
