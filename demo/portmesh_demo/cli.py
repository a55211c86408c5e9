"""The command group `portmesh demo`."""

from __future__ import annotations

import typer

from portmesh.commands.options import epilog
from portmesh_demo.land import land
from portmesh_demo.remove_command import remove

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Commands of the demonstration: a mesh of a grocery's real data.",
    epilog=epilog("portmesh demo land --until 2017-W20"),
)
app.command(epilog=epilog("portmesh demo land --flaw duplicates"))(land)
app.command(epilog=epilog("portmesh demo remove --yes"))(remove)
