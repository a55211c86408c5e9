"""`portmesh models`: write the SQL of ports that are written in YAML alone, or check that it is up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.commands.options import AsJson
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.scaffold.selector import selector
from portmesh.scaffold.yaml_port_files import as_facts, assert_up_to_date, plan_files, write_files
from portmesh.text import count, facts_block


def models(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file is out of date.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the SQL of ports that are written in YAML alone.

    Such a port has its model in config.meta.model of its YAML (docs/analyst.md). The SQL stands beside it and is
    committed.
    """
    root = find_root()
    with errors_as_json(as_json):
        files = plan_files(root)
        if check:
            assert_up_to_date(files, root)
        changed = [] if check else write_files(files)
    if as_json:
        print_json(dict(as_facts(files, changed, root)))
        return
    number = count(len(files), "port in YAML alone", "ports in YAML alone")
    out = console()
    if not changed:
        out.print(f"The SQL is up to date: {number}.", markup=False)
        return
    out.print(f"Wrote {count(len(changed), 'SQL file')}: {number}.\n", markup=False)
    facts = [(file.port.label, str(file.path.relative_to(root))) for file in changed]
    names = " ".join(f"+{selector(root, file.path)}" for file in changed)
    out.print(facts_block([*facts, ("next", f"dbt build --select {names}")]), markup=False, soft_wrap=True)
