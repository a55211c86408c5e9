"""`portmesh import`: ports from contracts that others wrote."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from portmesh.commands.new import new_domain
from portmesh.commands.options import AsJson, epilog
from portmesh.contracts.exchange import Written, import_odcs, read_product
from portmesh.contracts.odps import facts_of
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.scaffold.snake_case import sql_name
from portmesh.text import facts_block

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make ports and domains from the field's standards.",
    epilog=epilog("portmesh import odcs orders.odcs.yaml --domain orders"),
)


@app.callback()
def _import() -> None:
    """Make ports and domains from the field's standards."""


@app.command(epilog=epilog("portmesh import odcs orders.odcs.yaml --domain orders"))
def odcs(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A contract of ODCS 3.0 to 3.2.")],
    domain: Annotated[str, typer.Option(metavar="DOMAIN", help="The domain that will publish it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be imported.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the YAML of a port for each table of a contract.

    What a port has no place for is named, with the reason. The model's SQL is yours to write.
    """
    with errors_as_json(as_json):
        found = import_odcs(file, domain, dry_run)
    if as_json:
        print_json({"files": found.files, "dry_run": dry_run, "left": [asdict(one) for one in found.left]})
    else:
        _print(found, dry_run)


@app.command(epilog=epilog("portmesh import odps orders.odps.yaml"))
def odps(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A product of ODPS 0.9 to 1.1.")],
    as_json: AsJson = False,
) -> None:
    """Make a domain from a product.

    Asks for what the file does not say. The product's ports are imported from their contracts (`import odcs`).
    """
    with errors_as_json(as_json):
        product = read_product(file)
    said = facts_of(product)
    given = {
        "--owner": said.owner_name, "--email": said.owner_email, "--channel": said.channel, "--purpose": said.purpose,
        "--description": said.description, "--kind": said.kind, "--engine": said.engine, "--github": said.github,
    }  # fmt: skip
    ports = ", ".join(port.name for port in product.outputPorts or [])
    left = [("stage", f"proposed; the file says {said.stage}")] if said.stage not in ("", "proposed") else []
    left += [("ports", f"{ports}: portmesh import odcs FILE --domain {sql_name(said.name)}")] if ports else []
    new_domain(sql_name(said.name), {option: text or None for option, text in given.items()}, as_json, left)


def _print(found: Written, dry_run: bool) -> None:
    out = console()
    for port, path in zip(found.imported.ports, found.files, strict=True):
        checks = len(port.checks) + sum(len(one.get("data_tests", [])) for one in port.columns)
        what = f"{len(port.columns)} columns, {checks} checks"
        verb = "would be written to" if dry_run else "written to"
        out.print(f"{port.label}: {what}, {verb} {path}", markup=False, soft_wrap=True)
    if found.left:
        rows = [(one.where, f"{one.times:,}", one.why) for one in found.left]
        out.print("\nNot imported:\n", markup=False)
        out.print(table(("in the file", "times", "why"), rows, numbers=("times",)))
    sql = ", ".join(path.replace(".yml", ".sql") for path in found.files[:3])
    # dbt's partial parsing forgets a YAML file that it read before its model existed.
    parse = "then, because dbt may know the YAML already: dbt parse --no-partial-parse"
    step = f"write the model: {sql}\n{parse}\nportmesh catalog"
    out.print(f"\n{facts_block([('next', step)])}", markup=False, soft_wrap=True)
