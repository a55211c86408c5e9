"""`portmesh infra`: write the template of the domains' rights, which follows from the mesh, or check it."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.catalog.reading import parse_without_pages
from portmesh.dbt import parse_manifest
from portmesh.infra.rights import read_rights
from portmesh.infra.template import PATH, assert_in_step, is_in_step, render_template, write_template
from portmesh.mesh import read_mesh
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.text import count, facts_block


def infra(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the file is not in step.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same facts as JSON.")] = False,
) -> None:
    """Write infra/domains.yaml from the mesh: each domain's role, what it may read of others, and the role of all."""
    root = find_root()
    with errors_as_json(as_json):
        rights = read_rights(read_mesh(parse_without_pages(root, parse_manifest)))
        text = render_template(rights)
        changed = not is_in_step(root, text)
        if check:
            assert_in_step(root, text)
        elif changed:
            write_template(root, text)
    roles = len(rights.owners) + 1
    if as_json:
        facts = {"roles": roles, "applications": len(rights.applications)}
        print_json({**facts, "written": [str(PATH)] if changed else []})
        return
    what = f"{PATH} is written" if changed else f"{PATH} is in step"
    out = console()
    out.print(f"{what}: {count(roles, 'role')}, {count(len(rights.applications), 'other consumer')}.", markup=False)
    if changed:
        out.print()
        out.print(
            facts_block([("next", "commit the file; its rights hold once it is deployed (infra/README.md)")]),
            markup=False,
        )
