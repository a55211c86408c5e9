"""`portmesh status`: the mesh at a glance."""

from __future__ import annotations

from portmesh.commands.options import AsJson, Ports, Target
from portmesh.durations import age
from portmesh.output import console, errors_as_json, print_json, table
from portmesh.status import MeshStatus, describe_mesh
from portmesh.text import facts_block
from portmesh.upkeep.cleaning import with_orphans
from portmesh.upkeep.port_facts import read_mesh_facts, utc_now
from portmesh.upkeep.unmade import count_unmade, unmade_block


def status(ports: Ports = None, target: Target = None, as_json: AsJson = False) -> None:
    """Show the state, rows, age and last verdict of each port.

    Also shows what failed runs left behind, access that ends soon, versions that were rolled back, and tables that no
    model builds any more.
    """
    with errors_as_json(as_json):
        facts = read_mesh_facts(target)
        chosen = [port.label for port in facts.choose(ports or [])]
        found = with_orphans(facts.ports, facts.target)
    shown = {"ports": found, "unmade": [] if ports else facts.unmade}
    mesh = describe_mesh(facts.model_copy(update=shown), utc_now(), chosen)
    if as_json:
        print_json(mesh.model_dump(mode="json"))
    else:
        _print(mesh)


def _print(mesh: MeshStatus) -> None:
    rows = [
        (
            port.product,
            port.port,
            port.state,
            "" if port.rows is None else f"{port.rows:,}",
            "" if port.age_seconds is None else age(port.age_seconds),
            port.last_attempt,
        )
        for port in mesh.ports
    ]
    out = console()
    out.print(f"{mesh.target}, {mesh.at:%-d %b %Y %H:%M} UTC\n", markup=False)
    out.print(table(("product", "port", "state", "rows", "age", "last verdict"), rows, numbers=("rows",), gap=2))
    out.print(f"\n{mesh.summary}", markup=False)
    if mesh.left:
        left = [(one.port, f"{one.what}\n{one.story}") for one in mesh.left]
        out.print(f"\n{facts_block([*left, ('next', 'portmesh clean --dry-run')])}", markup=False, soft_wrap=True)
    if mesh.ending:
        out.print("\nAccess that ends within 30 days or has expired:", markup=False)
        ending = [(one.port, f"{one.what}\n{one.next}") for one in mesh.ending]
        out.print(f"\n{facts_block(ending)}", markup=False, soft_wrap=True)
    if mesh.withdrawn:
        withdrawn = [(one.port, f"{one.story}\n{one.next}") for one in mesh.withdrawn]
        out.print(f"\nRolled back:\n\n{facts_block(withdrawn)}", markup=False, soft_wrap=True)
    if mesh.unmade:
        heading = f"{count_unmade(mesh.unmade)} can still be read."
        out.print(f"\n{heading}\n\n{facts_block(unmade_block(mesh.unmade))}", markup=False, soft_wrap=True)
