"""What follows when a command has made files of the mesh: what is generated from them, and what the command prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from portmesh.dbt import install_packages
from portmesh.errors import FindingsError, PortmeshError
from portmesh.generated import write_generated
from portmesh.output import console, print_json
from portmesh.text import facts_block


def generate(root: Path, made: str, written: Sequence[str]) -> list[str]:
    """Install the domains as dbt packages and write what is generated from the mesh. Returns the paths of that.

    Raises FindingsError, which says that `made` (`The domain finance`) is written, if the mesh cannot be read.
    """
    try:
        install_packages()
        return write_generated(root)
    except PortmeshError as error:
        raise FindingsError(
            f"{made} was made, but the mesh cannot be read. {error.message}",
            [("written", "\n".join(written)), *(fact for fact in error.facts if fact[0] != "next")],
            "fix this, then: dbt deps, portmesh catalog, portmesh infra and portmesh schedule",
        ) from error


def print_made(
    done: str, written: Sequence[str], next_step: str, as_json: bool, facts: Sequence[tuple[str, str]] = ()
) -> None:
    """Print what was made, facts about it, the files that were written, and what to do next."""
    if as_json:
        print_json({"written": list(written), "facts": [list(fact) for fact in facts], "next": next_step})
    else:
        block = facts_block([*facts, ("written", "\n".join(written)), ("next", next_step)])
        console().print(f"{done}\n\n{block}", markup=False, soft_wrap=True)
