"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer


def epilog(example: str) -> str:
    """The end of a command's help: an example."""
    return f"\b\nExample:\n  {example}"


Target = Annotated[
    str | None,
    typer.Option(metavar="TARGET", help="local, emr or athena (default: PORTMESH_TARGET, else local)."),
]
Lake = Annotated[
    str | None,
    typer.Option(
        metavar="LAKE",
        help="Where the lake is. On local: a folder (default: PORTMESH_LAKE, else .lake in the repository). "
        "On emr and athena: s3://BUCKET (default: PORTMESH_S3_LAKE).",
    ),
]
LandedAt = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Landing time (UTC) to record instead of now, for reproducible runs."),
]
Ports = Annotated[
    list[str] | None,
    typer.Argument(metavar="PORT", help="Such as orders.order_lines or orders.order_lines.v2 (default: all ports)."),
]
Confirmed = Annotated[bool, typer.Option("--yes", help="Make the change. Without this, only the plan is shown.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
