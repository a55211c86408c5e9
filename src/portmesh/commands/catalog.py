"""`portmesh catalog`: write the pages of dbt's docs site that follow from the mesh, or check that they are in step."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.catalog.files import Difference, assert_in_step, find_differences, read_readmes, write_pages
from portmesh.catalog.findings import Finding, find_findings
from portmesh.catalog.pages import render_pages
from portmesh.catalog.reading import pages_asked_for, parse_without_pages
from portmesh.dbt import parse_with_checks
from portmesh.mesh import Mesh, read_mesh
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
        mesh = read_mesh(*parse_without_pages(root, parse_with_checks))
        findings = find_findings(mesh, pages_asked_for(root))
        pages = render_pages(mesh, read_readmes(root))
        differences = find_differences(root, pages, on_any_day=check)
        if check:
            assert_in_step(differences, findings)
        else:
            write_pages(root, pages, differences)
    if as_json:
        facts = {"products": len(mesh.products), "ports": len(mesh.ports)}
        changed = {difference.path: difference.what for difference in differences}
        print_json({**facts, "changed": changed, "files": {finding.path: finding.what for finding in findings}})
    else:
        _print(mesh, differences, findings)


def _print(mesh: Mesh, differences: list[Difference], findings: list[Finding]) -> None:
    scope = f"{count(len(mesh.products), 'product')} and {count(len(mesh.ports), 'port')}"
    changed = f"{count(len(differences), 'file')} of the catalog written" if differences else "The catalog is in step"
    out = console()
    out.print(f"{changed}: {scope}.", markup=False)
    if not differences and not findings:
        return
    facts = [(each.path, "deleted" if each.what == "left over" else "written") for each in differences]
    facts += [(finding.label, finding.what) for finding in findings]
    first = "the lines above, then: " if findings else ""
    facts.append(("next", f"{first}dbt docs generate --static, then portmesh serve"))
    out.print()
    out.print(facts_block(facts), markup=False, soft_wrap=True)
