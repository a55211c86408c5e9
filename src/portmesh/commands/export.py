"""`portmesh export`: contracts and products as files of the field's standards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from portmesh.commands.options import Target, epilog
from portmesh.contracts.exchange import export_odcs, export_odps, save
from portmesh.output import console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write contracts and products in the field's standards.",
    epilog=epilog("portmesh export odcs orders.order_lines"),
)
Chosen = Annotated[str | None, typer.Argument(metavar="NAME", help="A domain, or a port such as orders.order_lines.")]
Folder = Annotated[
    Path | None,
    typer.Option("--to", metavar="FOLDER", help="Write a file each into this folder; else they are printed."),
]


@app.command(epilog=epilog("portmesh export odcs orders --to build/contracts"))
def odcs(name: Chosen = None, to: Folder = None, target: Target = None) -> None:
    """Write ports as contracts of the Open Data Contract Standard 3.2.

    Without a name, all ports. Nothing that the port's YAML says is lost: `portmesh import odcs` reads it back.
    """
    _put(export_odcs(name, target), to)


@app.command(epilog=epilog("portmesh export odps orders --to build/products"))
def odps(name: Chosen = None, to: Folder = None) -> None:
    """Write products in the Open Data Product Standard 1.1.

    Without a name, all products. The output ports name their contracts by the id that `portmesh export odcs` gives.
    """
    _put(export_odps(name), to)


def _put(files: Mapping[str, str], folder: Path | None) -> None:
    if folder is None:
        print("---\n".join(files.values()), end="")
        return
    save(files, folder)
    for name in files:
        console().print(str(folder / name), markup=False, soft_wrap=True)
