"""The `portmesh` command. Each subcommand is a module of `portmesh.commands`, registered here.

Other packages add groups of commands: typer apps, declared as entry points of the group `portmesh.commands`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

import typer

from portmesh.commands.options import epilog
from portmesh.errors import PortmeshError
from portmesh.output import console
from portmesh.repository import FOCUS_VARIABLE

EXAMPLES = {
    "register": "portmesh register --check",
    "sample": "portmesh sample orders --share 1%",
    "land": "portmesh land shop.orders orders.csv",
    "models": "portmesh models --check",
    "eject": "portmesh eject orders.store_days",
    "diff": "portmesh diff --against origin/main",
    "lineage": "portmesh lineage orders.order_lines.sales_value",
    "plan": "portmesh plan --against main",
    "check": "portmesh check --explain PM203",
    "build": "portmesh build --select order_lines+",
    "backfill": "portmesh backfill orders.order_lines --from 2017-05-15 --to 2017-05-28",
    "alert": 'portmesh alert --product orders --failure "The worker died."',
    "status": "portmesh status orders.order_lines",
    "clean": "portmesh clean --dry-run",
    "maintain": "portmesh maintain --target emr --dry-run",
    "meter": "portmesh meter --spark-ui http://127.0.0.1:4040",
    "rollback": "portmesh rollback orders.order_lines",
    "rename": "portmesh rename orders.lines orders.order_lines",
    "retire": "portmesh retire orders.lines",
    "catalog": "portmesh catalog --check",
    "infra": "portmesh infra --check",
    "schedule": "portmesh schedule --check",
    "serve": "portmesh serve --port 8080",
}
"""The subcommands, in the order of `portmesh --help`, and the example that ends the help of each."""
GROUPS = {"new": "new", "env": "env", "contract": "contract", "export": "export", "import": "import_"}
"""Groups of subcommands by name: the module of each."""


def make_app(chosen: str = "") -> typer.Typer:
    """The command with all subcommands, or with the chosen one alone: each takes time to import."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        help="Commands for a data mesh in dbt. Plain `dbt build` builds the mesh; these commands do what dbt cannot.",
        epilog=epilog("portmesh status"),
        # Without it, a single subcommand is the whole command.
        callback=_nothing,
    )
    added = {point.name: point for point in entry_points(group="portmesh.commands") if _is_there(point)}
    all_names = [*EXAMPLES, *GROUPS, *added]
    for name in [chosen] if chosen in all_names else all_names:
        if name in EXAMPLES:
            command = getattr(import_module(f"portmesh.commands.{name}"), name)
            app.command(epilog=epilog(EXAMPLES[name]))(command)
        elif name in GROUPS:
            app.add_typer(import_module(f"portmesh.commands.{GROUPS[name]}").app, name=name)
        else:
            app.add_typer(added[name].load(), name=name)
    return app


def _is_there(point: EntryPoint) -> bool:
    """A package that was removed from the repository stays declared until the kit is installed again."""
    return find_spec(point.module.partition(".")[0]) is not None


def _nothing() -> None:
    """Subcommands do everything."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `portmesh`. An expected error is printed to standard error and sets the exit code."""
    # A focus is for dbt's own commands: what is unused, left over or affected is a question about the whole mesh.
    os.environ.pop(FOCUS_VARIABLE, None)
    try:
        app = make_app(next(iter(sys.argv[1:] if arguments is None else arguments), ""))
        app(args=arguments, prog_name="portmesh")
    except PortmeshError as error:
        console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from error
