"""`portmesh contract`: keep a port's contract up with its model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from portmesh.commands.options import AsJson, Target, epilog
from portmesh.contracts.refresh import Described, Refreshed
from portmesh.contracts.refresh import refresh as refresh_port
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.text import facts_block

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Keep a port's contract up with its model.",
    epilog=epilog("portmesh contract refresh orders.order_lines"),
)


@app.callback()
def _contract() -> None:
    """Keep a port's contract up with its model."""


@app.command(epilog=epilog("portmesh contract refresh orders.order_lines --dry-run"))
def refresh(
    port: Annotated[str, typer.Argument(metavar="PORT", help="Such as orders.order_lines or orders.order_lines.v2.")],
    remove: Annotated[
        bool, typer.Option("--remove", help="Also remove columns that the model does not have, with their checks.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would change.")] = False,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Write a model's new columns and types into its port's YAML.

    The columns come from the model's query on the target; no row is read. Everything else in the file stays as it is.
    """
    with errors_as_json(as_json):
        described, found = refresh_port(port, target, remove, dry_run)
    if as_json:
        print_json(_as_facts(described, found, dry_run))
    else:
        _print(described, found, dry_run)


def _as_facts(described: Described, found: Refreshed, dry_run: bool) -> dict[str, object]:
    return {
        "port": described.label,
        "file": described.path,
        "dry_run": dry_run,
        "changes": [asdict(one) for one in found.changes],
        "left": [asdict(one) for one in found.left],
        "level": found.level,
        "contract_version": described.contract_version,
        "contract_version_asked_for": found.version,
    }


def _print(described: Described, found: Refreshed, dry_run: bool) -> None:
    out = console()
    if not found.changes and not found.left:
        out.print(
            f"{described.label}: the contract has the model's columns and types. Nothing to change.", markup=False
        )
    else:
        count = len(found.changes)
        what = f"{count} {'change' if count == 1 else 'changes'} {'to write to' if dry_run else 'written to'}"
        out.print(f"{described.label}: {what} {described.path}\n", markup=False, soft_wrap=True)
        rows = [(one.column, one.before or "-", one.now or "-", one.what) for one in [*found.changes, *found.left]]
        out.print(table(("column", "was", "now", ""), rows))
    if found.version != described.contract_version:
        out.print(f"\n{facts_block(_version_facts(described, found))}", markup=False, soft_wrap=True)


def _version_facts(described: Described, found: Refreshed) -> list[tuple[str, str]]:
    """The contract version that the change asks for, and what to do before a major one."""
    why = "readers can break" if found.level == "major" else "columns were added or widened"
    now, published = described.contract_version, described.published_version
    since = f"published is {published}, the file says {now}" if published else f"if {now} is published elsewhere"
    facts = [("version", f"set config.meta.version to {found.version}: {why} ({since})")]
    if found.level == "major":
        facts.append(("next", "publish it as a second version, or agree with its consumers: docs/analyst.md"))
    return facts
