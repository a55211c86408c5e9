"""`portmesh demo remove`: take the demonstration out of the repository."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from portmesh.errors import UsageError
from portmesh.output import console
from portmesh.repository import find_root
from portmesh.text import count, facts_block
from portmesh_demo.remove import Removal, plan_removal
from portmesh_demo.remove import remove as remove_all


def remove(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Take the demonstration out, for a mesh of your own.

    Removes its folder, its domains and every mention of them elsewhere. Says what it will remove and asks first.
    """
    removal = plan_removal(find_root())
    console().print(_plan(removal), markup=False, soft_wrap=True)
    if not (yes or _is_confirmed()):
        console().print("Nothing was removed.")
        raise typer.Exit
    remove_all(removal)
    facts = [
        ("review", "git status"),
        ("next", "tools/environment.sh run && dbt deps && dbt build, then commit"),
        ("your first", "docs/platform-engineer.md"),
    ]
    console().print(f"Removed. What is built and landed is still there: make clean deletes it.\n\n{facts_block(facts)}")


def _is_confirmed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask, so nothing was removed.", next_step="portmesh demo remove --yes")
    return typer.confirm("Remove all this?")


def _plan(removal: Removal) -> str:
    facts = [
        ("folders", "\n".join(removal.folders)),
        ("files", "\n".join(removal.files)),
        ("parts of", "\n".join(removal.texts)),
    ]
    number = count(len(removal.folders), "folder")
    return f"The demonstration is {number}, and parts of {count(len(removal.texts), 'file')}:\n\n{facts_block(facts)}\n"
