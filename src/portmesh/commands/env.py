"""`portmesh env`: list environments, and drop one that is no longer needed."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.commands.options import AsJson, Target, epilog
from portmesh.commands.questions import is_terminal
from portmesh.durations import age
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.repository import find_root
from portmesh.text import count, facts_block, size
from portmesh.upkeep.environments import Environment, Environments, drop, find_to_drop, read_environments, shared
from portmesh.upkeep.port_facts import utc_now

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List environments and drop one's own.",
    epilog=epilog("portmesh env list"),
)


@app.command("list", epilog=epilog("portmesh env list"))
def list_environments(target: Target = None, as_json: AsJson = False) -> None:
    """Show the environments of the target's database.

    An environment is a set of schemas with one prefix (PORTMESH_ENVIRONMENT). Rows are those of its ports.
    """
    with errors_as_json(as_json):
        found = read_environments(target)
        kept = ["prod", *shared(find_root())]
    if as_json:
        print_json({**found.model_dump(mode="json"), "shared": kept})
    else:
        _print(found, kept)


@app.command("drop", epilog=epilog("portmesh env drop dev_ana"))
def drop_environment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as dev_ana.")],
    yes: Annotated[bool, typer.Option("--yes", help="Drop it without asking.")] = False,
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Drop an environment with all its tables and records.

    Never production, nor what is listed as shared, nor a schema that the mesh did not make. Asks first.
    """
    with errors_as_json(as_json):
        found = read_environments(target)
        environment = find_to_drop(find_root(), found, name)
        if not as_json:
            _print_plan(environment)
        if yes or (is_terminal() and typer.confirm(f"Drop {name}? This cannot be undone")):
            drop(environment, found)
            done = True
        else:
            done = False
    if as_json:
        print_json({"dropped": done, **environment.model_dump(mode="json")})
    elif done:
        console().print(f"Dropped {name}.")
    else:
        console().print(f"Nothing was dropped.\n\n{facts_block([('next', f'portmesh env drop {name} --yes')])}")


def _print(found: Environments, kept: list[str]) -> None:
    rows = [
        (
            each.name + (" (current)" if each.name == found.current else ""),
            f"{len(each.schemas):,}",
            f"{each.tables:,}",
            f"{each.ports:,}",
            f"{each.rows:,}",
            size(each.bytes),
            age((utc_now() - each.last_built_at.replace(tzinfo=None)).total_seconds()) if each.last_built_at else "",
            "no" if each.name in kept else "yes",
        )
        for each in found.environments
    ]
    out = console()
    numbers = ("schemas", "tables", "ports", "rows", "size")
    if not rows:
        out.print(f"There is no environment in the database of {found.target}: nothing was built yet.", markup=False)
        return
    out.print(table(("environment", *numbers, "last built", "can be dropped"), rows, numbers, gap=2))
    foreign = [(each.name, "\n".join(each.foreign)) for each in found.environments if each.foreign]
    if foreign:
        out.print(f"\nSchemas that the mesh did not make:\n\n{facts_block(foreign)}", markup=False)


def _print_plan(environment: Environment) -> None:
    schemas = [f"{schema} ({count(number, 'table')})" for schema, number in environment.schemas.items()]
    rows = f"{environment.rows:,} in {count(environment.ports, 'port')}, {size(environment.bytes)}"
    facts = [("dropped", "\n".join(schemas)), ("rows", rows)]
    if environment.foreign:
        facts.append(("kept", "\n".join(f"{schema}: not made by the mesh" for schema in environment.foreign)))
    console().print(f"The environment {environment.name}:\n\n{facts_block(facts)}\n", markup=False, soft_wrap=True)
