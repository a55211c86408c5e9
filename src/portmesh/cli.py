"""The `portmesh` command. Each subcommand is a module of `portmesh.commands`, registered here.

Other packages add groups of commands: typer apps, declared as entry points of the group `portmesh.commands`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec

import typer

from portmesh.commands.alert import alert
from portmesh.commands.backfill import backfill
from portmesh.commands.build import build
from portmesh.commands.catalog import catalog
from portmesh.commands.check import check
from portmesh.commands.clean import clean
from portmesh.commands.contract import app as contract
from portmesh.commands.diff import diff
from portmesh.commands.eject import eject
from portmesh.commands.env import app as env
from portmesh.commands.export import app as export
from portmesh.commands.import_ import app as import_
from portmesh.commands.infra import infra
from portmesh.commands.land import land
from portmesh.commands.lineage import lineage
from portmesh.commands.maintain import maintain
from portmesh.commands.meter import meter
from portmesh.commands.models import models
from portmesh.commands.new import app as new
from portmesh.commands.options import epilog
from portmesh.commands.plan import plan
from portmesh.commands.register import register
from portmesh.commands.rename import rename
from portmesh.commands.retire import retire
from portmesh.commands.rollback import rollback
from portmesh.commands.sample import sample
from portmesh.commands.schedule import schedule
from portmesh.commands.serve import serve
from portmesh.commands.status import status
from portmesh.errors import PortmeshError
from portmesh.output import console
from portmesh.repository import FOCUS_VARIABLE

EXAMPLES: dict[Callable[..., None], str] = {
    register: "portmesh register --check",
    sample: "portmesh sample orders --share 1%",
    land: "portmesh land shop.orders orders.csv",
    models: "portmesh models --check",
    eject: "portmesh eject orders.store_days",
    diff: "portmesh diff --against origin/main",
    lineage: "portmesh lineage orders.order_lines.sales_value",
    plan: "portmesh plan --against main",
    check: "portmesh check --explain PM203",
    build: "portmesh build --select order_lines+",
    backfill: "portmesh backfill orders.order_lines --from 2017-05-15 --to 2017-05-28",
    alert: 'portmesh alert --product orders --failure "The worker died."',
    status: "portmesh status orders.order_lines",
    clean: "portmesh clean --dry-run",
    maintain: "portmesh maintain --target emr --dry-run",
    meter: "portmesh meter --spark-ui http://127.0.0.1:4040",
    rollback: "portmesh rollback orders.order_lines",
    rename: "portmesh rename orders.lines orders.order_lines",
    retire: "portmesh retire orders.lines",
    catalog: "portmesh catalog --check",
    infra: "portmesh infra --check",
    schedule: "portmesh schedule --check",
    serve: "portmesh serve --port 8080",
}
"""The subcommands, in the order of `portmesh --help`, and the example that ends the help of each."""
GROUPS: dict[str, typer.Typer] = {
    "new": new,
    "env": env,
    "contract": contract,
    "export": export,
    "import": import_,
}
"""Groups of subcommands by name."""


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Commands for a data mesh in dbt. Plain `dbt build` builds the mesh; these commands do what dbt cannot.",
    epilog=epilog("portmesh status"),
)
for command, example in EXAMPLES.items():
    app.command(epilog=epilog(example))(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)
for added in entry_points(group="portmesh.commands"):
    # A package that was removed from the repository stays declared until the kit is installed again.
    if find_spec(added.module.partition(".")[0]):
        app.add_typer(added.load(), name=added.name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `portmesh`. An expected error is printed to standard error and sets the exit code."""
    # A focus is for dbt's own commands: what is unused, left over or affected is a question about the whole mesh.
    os.environ.pop(FOCUS_VARIABLE, None)
    try:
        app(args=arguments, prog_name="portmesh")
    except PortmeshError as error:
        console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from error
