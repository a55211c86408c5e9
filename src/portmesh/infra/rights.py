"""Who may read what in the lake, as the mesh's domains, sources, ports and consumers say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from portmesh.mesh import Mesh

_Thing = TypeVar("_Thing")

RECORDS = "portmesh"
"""The database of the records, and the owner of what all domains share."""

PREFIX = "${DatabasePrefix}"
"""The template's parameter before the databases of the mesh; those of sources are the same in every environment."""

WHOLE_MESH = "whole-mesh"
"""The role of the commands that are of every domain. No domain has this name, for a domain's has no hyphen."""

TABLES_PER_POLICY = 5
"""A managed policy holds 6,144 characters, and ten of them attach to a role unless the account's quota is raised."""

DATABASES_PER_POLICY = 10
"""Of those that the role of the whole mesh writes; a domain has two."""


@dataclass(frozen=True, order=True)
class Table:
    """A table of the lake; in the database's name stands PREFIX where it belongs to the mesh."""

    database: str
    name: str


@dataclass(frozen=True)
class Grant:
    """Tables that a consumer may read, and the instant (UTC) from which on it no longer may: empty means no end."""

    tables: tuple[Table, ...]
    ends: str = ""


@dataclass(frozen=True)
class Owner:
    """A domain, or the mesh itself, with a role of its own; `policies` say what it reads that is not its own."""

    name: str
    email: str
    policies: tuple[tuple[Grant, ...], ...] = ()


@dataclass(frozen=True)
class Application:
    """A consumer that is no domain: its policies attach to whatever role it runs with."""

    name: str
    policies: tuple[tuple[Grant, ...], ...]


@dataclass(frozen=True)
class WholeMesh:
    """The role that builds and keeps all domains: the databases that it writes, in portions, and the feeds it reads."""

    databases: tuple[tuple[str, ...], ...] = ()
    policies: tuple[tuple[Grant, ...], ...] = ()
    name: str = WHOLE_MESH


@dataclass(frozen=True)
class Rights:
    """All who own or read something."""

    owners: tuple[Owner, ...]
    applications: tuple[Application, ...]
    mesh: WholeMesh


def read_rights(mesh: Mesh) -> Rights:
    """The rights that follow from a mesh."""
    reads = _reads_by_reader(mesh)
    domains = [
        Owner(product.name, product.owner_email, _policies(reads.pop(product.name, {}))) for product in mesh.products
    ]
    applications = [Application(name, _policies(tables)) for name, tables in sorted(reads.items())]
    return Rights((*domains, Owner(RECORDS, "")), tuple(applications), _whole_mesh(mesh))


def _whole_mesh(mesh: Mesh) -> WholeMesh:
    """It owns what the domains own, and the shared seeds; not the records, which it adds to as the domains do."""
    owned = [name for product in mesh.products for name in (product.name, f"{product.name}__internal")]
    owned.append(f"{RECORDS}__internal")
    feeds = [source for _, source in _sources(mesh) if source.database != PREFIX + RECORDS]
    return WholeMesh(tuple(_portions(owned, DATABASES_PER_POLICY)), _policies(dict.fromkeys(feeds)))


def _reads_by_reader(mesh: Mesh) -> dict[str, dict[Table, date | None]]:
    """What each consumer and domain reads, with the last day; one that is listed twice reads until the later one."""
    found: dict[str, dict[Table, date | None]] = {}
    for port in mesh.ports.values():
        table = Table(PREFIX + port.product, port.relation.partition(".")[2])
        for consumer in port.meta.consumers:
            tables = found.setdefault(consumer.name, {})
            tables[table] = _later(consumer.until, tables.get(table, date.min))
    for domain, source in _sources(mesh):
        found.setdefault(domain, {})[source] = None
    return found


def _sources(mesh: Mesh) -> Iterator[tuple[str, Table]]:
    """Each source with its domain. Whose source the records are reads those of all domains."""
    for source in mesh.sources.values():
        if source.schema.split("__")[-1] == RECORDS:
            yield source.product, Table(PREFIX + RECORDS, f"{source.table.partition('__')[0]}__*")
        else:
            yield source.product, Table(source.schema, source.table)


def _later(one: date | None, other: date | None) -> date | None:
    return max(one, other) if one and other else None


def _policies(tables: Mapping[Table, date | None]) -> tuple[tuple[Grant, ...], ...]:
    """Grants in portions that a policy can hold; those of a portion that end together are one grant."""
    return tuple(tuple(_grants(portion, tables)) for portion in _portions(sorted(tables), TABLES_PER_POLICY))


def _portions(things: Sequence[_Thing], size: int) -> Iterator[tuple[_Thing, ...]]:
    return (tuple(things[start : start + size]) for start in range(0, len(things), size))


def _grants(portion: Iterable[Table], tables: Mapping[Table, date | None]) -> Iterator[Grant]:
    by_end: dict[str, list[Table]] = {}
    for table in portion:
        by_end.setdefault(_end_of(tables[table]), []).append(table)
    for ends, ending in sorted(by_end.items()):
        yield Grant(tuple(ending), ends)


def _end_of(until: date | None) -> str:
    """`until` is the last day on which a consumer reads."""
    return f"{until + timedelta(days=1)}T00:00:00Z" if until else ""
