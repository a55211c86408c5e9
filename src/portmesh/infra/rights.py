"""Who may read what in the lake, as the mesh's domains, sources, ports and consumers say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from portmesh.mesh import Mesh

RECORDS = "portmesh"
"""The database of the records, and the owner of what all domains share."""

PREFIX = "${DatabasePrefix}"
"""The template's parameter before the databases of the mesh; those of sources are the same in every environment."""

TABLES_PER_POLICY = 5
"""A managed policy holds 6,144 characters, and ten of them attach to a role unless the account's quota is raised."""


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
class Rights:
    """All who own or read something."""

    owners: tuple[Owner, ...]
    applications: tuple[Application, ...]


def read_rights(mesh: Mesh) -> Rights:
    """The rights that follow from a mesh."""
    reads = _reads_by_reader(mesh)
    domains = [
        Owner(product.name, product.owner_email, _policies(reads.pop(product.name, {}))) for product in mesh.products
    ]
    applications = [Application(name, _policies(tables)) for name, tables in sorted(reads.items())]
    return Rights((*domains, Owner(RECORDS, "")), tuple(applications))


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
    """Each source with its domain; the records are left out, for every domain has rights there."""
    for source in mesh.sources.values():
        if source.schema.split("__")[-1] != RECORDS:
            yield source.product, Table(source.schema, source.table)


def _later(one: date | None, other: date | None) -> date | None:
    return max(one, other) if one and other else None


def _policies(tables: Mapping[Table, date | None]) -> tuple[tuple[Grant, ...], ...]:
    """Grants in portions that a policy can hold; those of a portion that end together are one grant."""
    ordered = sorted(tables)
    portions = (ordered[start : start + TABLES_PER_POLICY] for start in range(0, len(ordered), TABLES_PER_POLICY))
    return tuple(tuple(_grants(portion, tables)) for portion in portions)


def _grants(portion: Iterable[Table], tables: Mapping[Table, date | None]) -> Iterator[Grant]:
    by_end: dict[str, list[Table]] = {}
    for table in portion:
        by_end.setdefault(_end_of(tables[table]), []).append(table)
    for ends, ending in sorted(by_end.items()):
        yield Grant(tuple(ending), ends)


def _end_of(until: date | None) -> str:
    """`until` is the last day on which a consumer reads."""
    return f"{until + timedelta(days=1)}T00:00:00Z" if until else ""
