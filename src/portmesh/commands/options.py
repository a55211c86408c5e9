"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Target = Annotated[
    str | None,
    typer.Option(metavar="TARGET", help="local, emr or athena; else PORTMESH_TARGET, else local."),
]
Ports = Annotated[
    list[str] | None, typer.Argument(metavar="[PORT]...", help="orders.order_lines, orders.order_lines.v2; else all.")
]
Confirmed = Annotated[bool, typer.Option("--yes", help="Do it. Without this, only the plan is shown.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same facts as JSON.")]
