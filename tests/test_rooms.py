"""The kit's modules import each other in one direction only, at the top of a module or inside a function."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.mesh import REPOSITORY

SOURCE = REPOSITORY / "src"


def imports_of(code: str) -> Iterator[str]:
    """The names that code imports from the kit: modules or their members."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def needs(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """The kit's modules, each with the other modules of the kit that it imports."""
    return {name: {other for other in imports_of(code) if other in sources} - {name} for name, code in sources.items()}


def kit() -> dict[str, str]:
    paths = SOURCE.glob("portmesh/**/*.py")
    names = {".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    return {name: path.read_text() for name, path in names.items()}


def test_no_two_modules_need_each_other() -> None:
    found = needs(kit())
    assert {"portmesh.errors", "portmesh.mesh"} <= set().union(*found.values())
    order = list(TopologicalSorter(found).static_order())
    assert len(order) == len(found)


def test_a_circle_is_found_though_an_import_is_late() -> None:
    circle = {"kit.a": "from kit import b", "kit.b": "def late():\n    from kit.a import x", "kit": ""}
    with pytest.raises(CycleError):
        list(TopologicalSorter(needs(circle)).static_order())


@pytest.mark.parametrize(
    ("room", "above"),
    [
        ("mesh", ("building", "catalog", "commands", "contracts", "infra", "lake", "status", "upkeep")),
        ("rules", ("building", "catalog", "commands", "infra", "sampling", "scaffold", "status", "upkeep")),
        ("contracts", ("building", "catalog", "commands", "infra", "lake", "status", "upkeep")),
        ("lake", ("building", "catalog", "commands", "infra", "status", "upkeep")),
        ("upkeep", ("building", "catalog", "commands", "infra", "status")),
        ("catalog", ("building", "commands", "infra", "lake", "status", "upkeep")),
    ],
)
def test_a_room_needs_none_above_it(room: str, above: tuple[str, ...]) -> None:
    of_room = {name: others for name, others in needs(kit()).items() if f"{name}.".startswith(f"portmesh.{room}.")}
    assert of_room
    found = {other.split(".")[1] for others in of_room.values() for other in others if other != "portmesh"}
    assert not found & set(above)


def foreign(code: str) -> set[str]:
    """The third-party packages that code imports."""
    packages = {name.partition(".")[0] for name in imports_of(code)}
    return packages - {"portmesh", *sys.stdlib_module_names}


def test_a_command_parses_calls_and_prints() -> None:
    """It needs no third-party package except these two."""
    found = {name: foreign(code) for name, code in kit().items() if name.startswith("portmesh.commands.")}
    assert len(found) > 10
    assert {name for name, others in found.items() if others - {"typer", "rich"}} == set()


def test_what_a_command_should_leave_to_others_is_found() -> None:
    assert foreign("import json\nimport typer\nfrom dbt.cli.main import dbtRunner\n") == {"typer", "dbt"}
