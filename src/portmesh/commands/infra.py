"""`portmesh infra`: generate the CloudFormation template with the domains' rights, or check that it is up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.catalog.reading import parse_without_pages
from portmesh.dbt import parse_manifest
from portmesh.infra.rights import read_rights
from portmesh.infra.template import TEMPLATE, render_template
from portmesh.mesh import read_mesh
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.text import count, facts_block


def infra(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the file is out of date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Generate infra/domains.yaml from the mesh.

    It defines a role for each domain, what that domain may read of other domains, and a role for commands that work on
    the whole mesh.
    """
    root = find_root()
    with errors_as_json(as_json):
        rights = read_rights(read_mesh(parse_without_pages(root, parse_manifest)))
        text = render_template(rights)
        if check:
            TEMPLATE.assert_up_to_date(root, text)
        changed = not check and TEMPLATE.update(root, text)
    roles = len(rights.owners) + 1
    if as_json:
        facts = {"roles": roles, "applications": len(rights.applications)}
        print_json({**facts, "written": [str(TEMPLATE.path)] if changed else []})
        return
    what = f"Wrote {TEMPLATE.path}" if changed else f"{TEMPLATE.path} is up to date"
    out = console()
    out.print(f"{what}: {count(roles, 'role')}, {count(len(rights.applications), 'other consumer')}.", markup=False)
    if changed:
        out.print()
        out.print(
            facts_block([("next", "commit the file, then deploy it: the rights change only then (infra/README.md)")]),
            markup=False,
        )
