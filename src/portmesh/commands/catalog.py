"""`portmesh catalog`: write the pages of dbt's docs site that follow from the mesh, or check that they are in step."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.catalog.files import (
    Difference,
    assert_in_step,
    assert_pages_exist,
    find_differences,
    find_hidden_pages,
    placeholders,
    read_readmes,
    write_pages,
)
from portmesh.catalog.pages import render_pages
from portmesh.dbt import parse_manifest
from portmesh.mesh import Mesh, Port, read_mesh
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.text import count, facts_block


def catalog(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a page is not in step.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same facts as JSON.")] = False,
) -> None:
    """Write docs/catalog from the mesh: a page for its home, for each product and for each port."""
    root = find_root()
    with errors_as_json(as_json):
        if check:
            assert_pages_exist(root)
        with placeholders(root):
            mesh = read_mesh(parse_manifest())
        pages = render_pages(mesh, read_readmes(root))
        differences = find_differences(root, pages)
        if check:
            assert_in_step(mesh, differences)
        else:
            write_pages(root, pages, differences)
    hidden = find_hidden_pages(mesh)
    if as_json:
        facts = {"products": len(mesh.products), "ports": len(mesh.ports)}
        changed = {difference.path: difference.what for difference in differences}
        print_json({**facts, "changed": changed, "hidden": {port.path: what for port, what in hidden}})
    else:
        _print(mesh, differences, hidden)


def _print(mesh: Mesh, differences: list[Difference], hidden: list[tuple[Port, str]]) -> None:
    scope = f"{count(len(mesh.products), 'product')} and {count(len(mesh.ports), 'port')}"
    changed = f"{count(len(differences), 'file')} of the catalog written" if differences else "The catalog is in step"
    out = console()
    out.print(f"{changed}: {scope}.", markup=False)
    if not differences and not hidden:
        return
    facts = [(each.path, "deleted" if each.what == "left over" else "written") for each in differences]
    facts += [(port.label, what) for port, what in hidden]
    facts += [("next", f"{'the lines above, then: ' if hidden else ''}dbt docs generate --static, then portmesh serve")]
    out.print()
    out.print(facts_block(facts), markup=False, soft_wrap=True)
