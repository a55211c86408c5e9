"""The `portmesh` command. Each subcommand is a module of `portmesh.commands`, registered here."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from portmesh.commands.build import build
from portmesh.commands.catalog import catalog
from portmesh.commands.clean import clean
from portmesh.commands.infra import infra
from portmesh.commands.land import land
from portmesh.commands.maintain import maintain
from portmesh.commands.meter import meter
from portmesh.commands.rename import rename
from portmesh.commands.retire import retire
from portmesh.commands.rollback import rollback
from portmesh.commands.serve import serve
from portmesh.commands.status import status
from portmesh.errors import PortmeshError
from portmesh.output import console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="What the mesh needs and dbt cannot do. `dbt build` builds it.",
)
app.command()(land)
app.command()(build)
app.command()(status)
app.command()(clean)
app.command()(maintain)
app.command()(meter)
app.command()(rollback)
app.command()(rename)
app.command()(retire)
app.command()(catalog)
app.command()(infra)
app.command()(serve)


@app.callback()
def _portmesh() -> None:
    """Keep subcommands even while there is a single one."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `portmesh`; an expected error goes to standard error and sets its exit code."""
    try:
        app(args=arguments, prog_name="portmesh")
    except PortmeshError as error:
        console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from error
