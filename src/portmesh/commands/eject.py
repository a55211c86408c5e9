"""`portmesh eject`: go on in SQL with a port that was written in YAML alone."""

from __future__ import annotations

from typing import Annotated

import typer

from portmesh.commands.options import AsJson
from portmesh.output import console, errors_as_json, print_json
from portmesh.repository import find_root
from portmesh.scaffold.selector import selector
from portmesh.scaffold.yaml_port_files import eject as eject_files
from portmesh.scaffold.yaml_port_files import plan_ejection
from portmesh.text import facts_block


def eject(
    port: Annotated[str, typer.Argument(metavar="PORT", help="Such as orders.order_lines.")],
    as_json: AsJson = False,
) -> None:
    """Go on in SQL with a port that was written in YAML alone.

    Takes config.meta.model out of the port's YAML and the header out of its SQL. The port's rows stay the same.
    """
    root = find_root()
    with errors_as_json(as_json):
        ejection = plan_ejection(root, port)
        eject_files(ejection)
    sql, yaml = (str(path.relative_to(root)) for path in (ejection.sql_file, ejection.port.yaml_file))
    if as_json:
        print_json({"port": port, "sql": sql, "yaml": yaml, "is_last_good": ejection.is_last_good})
        return
    out = console()
    out.print(f"{port} is SQL from now on.\n", markup=False)
    note = "the block has an error, so this is the SQL of the last portmesh models" if ejection.is_last_good else ""
    facts = [("sql", sql), ("yaml", f"{yaml}, without config.meta.model"), *([("note", note)] if note else [])]
    facts.append(("next", f"edit the SQL, then: dbt build --select {selector(root, ejection.sql_file)}"))
    out.print(facts_block(facts), markup=False, soft_wrap=True)
