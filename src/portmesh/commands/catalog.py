"""`portmesh catalog`: generate the mesh's pages for dbt's docs site, or check that they are up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.catalog.files import Difference, assert_up_to_date, find_differences, read_readmes, write_pages
from portmesh.catalog.findings import Finding, find_findings
from portmesh.catalog.pages import render_pages
from portmesh.catalog.reading import pages_asked_for, parse_without_pages
from portmesh.dbt import parse_with_checks
from portmesh.mesh import Mesh, read_mesh
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.text import count, facts_block


def catalog(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a page is out of date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Generate the catalog's pages (docs/catalog) from the mesh.

    There is a home page, and a page for each data product and each output port. `dbt docs generate --static` then puts
    them into one HTML file, which `portmesh serve` shows.
    """
    root = find_root()
    with errors_as_json(as_json):
        mesh = read_mesh(*parse_without_pages(root, parse_with_checks))
        findings = find_findings(mesh, pages_asked_for(root))
        pages = render_pages(mesh, read_readmes(root))
        differences = find_differences(root, pages, on_any_day=check)
        if check:
            assert_up_to_date(differences, findings)
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
    changed = f"Wrote {count(len(differences), 'catalog file')}" if differences else "The catalog is up to date"
    out = console()
    out.print(f"{changed}: {scope}.", markup=False)
    if not differences and not findings:
        return
    facts = [(each.path, "deleted" if each.what == "left over" else "written") for each in differences]
    facts += [(finding.label, finding.what) for finding in findings]
    first = "fix the lines above, then: " if findings else ""
    facts.append(("next", f"{first}dbt docs generate --static, then portmesh serve"))
    out.print()
    out.print(facts_block(facts), markup=False, soft_wrap=True)
