"""`portmesh lineage`: what columns are computed from, and what is computed from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from portmesh.commands.options import AsJson, Target
from portmesh.errors import ExitCode
from portmesh.lineage import read_lineage
from portmesh.lineage.asking import find_asked
from portmesh.lineage.cache import cache_file
from portmesh.lineage.openlineage import dataset_event
from portmesh.lineage.printing import as_json as lineage_as_json
from portmesh.lineage.printing import as_text
from portmesh.lineage.sql_of_node import is_python
from portmesh.output import console, errors_as_json, print_json
from portmesh.state import current_state


def lineage(
    name: Annotated[
        str,
        typer.Argument(
            metavar="COLUMN|NODE",
            help="Such as orders.order_lines.sales_value, orders.order_lines, or tills.transactions.week of a source.",
        ),
    ],
    down: Annotated[
        bool, typer.Option("--down", help="Show what reads it, instead of what it is computed from.")
    ] = False,
    target: Target = None,
    as_json: AsJson = False,
    openlineage: Annotated[
        bool, typer.Option("--openlineage", help="Print the node as an OpenLineage event with column lineage.")
    ] = False,
    namespace: Annotated[
        str, typer.Option(metavar="NAME", help="The namespace of datasets in the OpenLineage event.")
    ] = "portmesh",
) -> None:
    """Show what a column is computed from, or what reads it.

    Shows the expression at each hop, up to the columns of sources, and what decides which rows there are: filters,
    joins, groups. Needs no database. Exits with 1 if the SQL of the node cannot be read.
    """
    with errors_as_json(as_json or openlineage):
        state = current_state(target)
        asked = find_asked(name, read_lineage(state.manifest, cache_file()))
    if openlineage:
        print_json(dataset_event(asked, state.manifest, namespace, datetime.now(UTC)))
    elif as_json:
        print_json(lineage_as_json(asked, down))
    else:
        console().print(as_text(asked, down), markup=False, soft_wrap=True)
    is_sql = not is_python(state.manifest["nodes"].get(asked.id) or {})
    if asked.node.unknown and is_sql:
        raise typer.Exit(ExitCode.FINDINGS)
