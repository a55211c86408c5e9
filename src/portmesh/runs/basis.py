"""What a run built a whole product from. A run that an input starts has nothing to do if that is still the same."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from portmesh.dbt_steps import Chosen
from portmesh.errors import PortmeshError
from portmesh.production import PROD, keep_basis, open_files, read_basis
from portmesh.runs.inputs import input_ports
from portmesh.runs.outcome import Report
from portmesh.runs.progress import mesh_hash
from portmesh.runs.records import PortRecord


@dataclass(frozen=True)
class Basis:
    """What a product is built from: the mesh's files, as a hash, and the version of each port that it reads, by id.

    `ports` has the number of the newest attempt of each of its own ports. After a rollback, a refusal or a backfill,
    they are no longer as the whole run left them.
    """

    product: str
    mesh: str
    inputs: Mapping[str, str | None]
    ports: Mapping[str, int]

    def is_built(self, target: str) -> bool:
        """Whether the last run of production built all of the product from this. What cannot be read is built."""
        with suppress(OSError, PortmeshError):
            return read_basis(open_files(target), self.product) == asdict(self)
        return False

    def as_left(self, records: Mapping[str, PortRecord], run_name: str) -> Basis:
        """The same, with the product's ports as the run left them, whatever somebody else did to them meanwhile."""
        own = {id_: records[id_].attempt_in(run_name) for id_ in self.ports}
        return replace(self, ports={id_: one.sequence if (one := own[id_]) else self.ports[id_] for id_ in self.ports})

    def keep(self, target: str) -> None:
        """Record that a run built all of the product from this. A failure costs the next run time only."""
        with suppress(OSError, PortmeshError):
            keep_basis(open_files(target), self.product, asdict(self))


def find_basis(report: Report, chosen: Chosen) -> Basis | None:
    """What the selection is built from now; none if it is not one whole product in production.

    Sources are not in it: no event tells of them.
    """
    graph, nodes, records = chosen.graph, chosen.nodes, report.records
    product = graph.nodes[nodes[0]].domain
    is_whole = set(nodes) == {id_ for id_, node in graph.nodes.items() if node.domain == product}
    if chosen.environment != PROD or not is_whole:
        return None
    inputs = {port for ports in input_ports(graph, nodes).values() for port in ports}
    return Basis(
        product,
        mesh_hash(chosen.manifest, report.target, chosen.environment, *report.flags),
        {id_: one.version if (one := records[id_].current) else None for id_ in sorted(inputs)},
        {id_: _newest(records[id_]) for id_ in sorted(nodes) if graph.nodes[id_].is_port},
    )


def _newest(record: PortRecord) -> int:
    return record.newest.sequence if record.newest else 0
