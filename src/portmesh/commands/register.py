"""`portmesh register`: write the lists of the domains from their folders, or check that they are up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.commands.options import AsJson
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.scaffold.register import Lists, assert_lists, changes_by_file, plan_lists, write_lists
from portmesh.text import count, facts_block


def register(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a list is out of date.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the domains where dbt, GitHub and sqlfluff look for them.

    A domain is a folder of domains/ with a dbt_project.yml. The lists in packages.yml, dbt_project.yml, CODEOWNERS and
    .sqlfluff are written from the folders.
    """
    root = find_root()
    with errors_as_json(as_json):
        lists = plan_lists(root)
        if check:
            assert_lists(lists)
        else:
            write_lists(lists)
    if as_json:
        changed = {file: lines.split("\n") for file, lines in changes_by_file(lists.changes)}
        print_json({"domains": [d.name for d in lists.domains], "changed": changed, "no_owner": lists.without_owner})
    else:
        _print(lists)


def _print(lists: Lists) -> None:
    out = console()
    number = count(len(lists.domains), "domain")
    if lists.changes:
        out.print(f"Wrote {count(len(lists.texts), 'list')} of the domains: {number}.", markup=False)
    else:
        out.print(f"The lists of the domains are up to date: {number}.", markup=False)
    facts = changes_by_file(lists.changes)
    if lists.without_owner:
        facts.append(("no owner.github", f"{', '.join(lists.without_owner)}: CODEOWNERS has no line for it"))
    if lists.changes:
        facts.append(("next", "dbt deps, then portmesh infra, catalog and schedule"))
    if facts:
        out.print(f"\n{facts_block(facts)}", markup=False, soft_wrap=True)
