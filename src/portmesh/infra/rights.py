"""Works out who may read what in the lake, from the mesh's domains, sources, ports and consumers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from portmesh.errors import FindingsError
from portmesh.mesh import Mesh

_Thing = TypeVar("_Thing")

RECORDS = "portmesh"
"""The database of the records, and the owner of everything that all domains share."""

PREFIX = "${DatabasePrefix}"
"""The template's parameter for the prefix of the mesh's databases. Databases of sources have no prefix."""

WHOLE_MESH = "whole-mesh"
"""The role for commands that work on all domains. No domain can have this name: domain names contain no hyphen."""

PULL_REQUESTS = "pull-requests"
"""The role of builds in pull requests."""

ENVIRONMENTS_OF_PULL_REQUESTS = "pr_"
"""The environment of pull request 7 is pr_7, so their role writes everything that begins so."""

TABLES_PER_POLICY = 5
"""A managed policy holds 6,144 characters. A role can have ten policies unless the account's quota is raised."""

ROLES_PER_POLICY = 25
"""Roles of domains that a scheduler may take on, per policy."""

DATABASES_PER_POLICY = 10
"""Databases that the whole-mesh role writes, per policy. A domain has two databases."""


@dataclass(frozen=True, order=True)
class Table:
    """A table of the lake. If it belongs to the mesh, the database's name starts with PREFIX."""

    database: str
    name: str


@dataclass(frozen=True)
class Grant:
    """Tables that a consumer may read, and the time (UTC) at which its access ends; empty means no end."""

    tables: tuple[Table, ...]
    ends: str = ""


@dataclass(frozen=True)
class Owner:
    """A domain, or the mesh itself, with a role of its own. `policies` cover what it reads from other owners."""

    name: str
    email: str
    policies: tuple[tuple[Grant, ...], ...] = ()


@dataclass(frozen=True)
class Application:
    """A consumer that is not a domain. Its policies are to be attached to the role it runs with."""

    name: str
    policies: tuple[tuple[Grant, ...], ...]


@dataclass(frozen=True)
class WholeMesh:
    """The role that builds and maintains all domains: the databases it writes, in portions, and the feeds it reads."""

    databases: tuple[tuple[str, ...], ...] = ()
    policies: tuple[tuple[Grant, ...], ...] = ()
    name: str = WHOLE_MESH


@dataclass(frozen=True)
class Rights:
    """Everyone who owns or reads something in the lake."""

    owners: tuple[Owner, ...]
    applications: tuple[Application, ...]
    mesh: WholeMesh

    @property
    def runs(self) -> list[tuple[str, ...]]:
        """The domains whose roles a scheduler takes on to run them, in portions."""
        return list(_portions([owner.name for owner in self.owners if owner.name != RECORDS], ROLES_PER_POLICY))

    @property
    def pull_requests(self) -> Application:
        """The role of builds in pull requests: it reads all that the whole mesh writes or reads, apart from records."""
        owned = (Grant(tuple(Table(PREFIX + name, "*") for name in names)) for names in self.mesh.databases)
        return Application(PULL_REQUESTS, (*((grant,) for grant in owned), *self.mesh.policies))


def read_rights(mesh: Mesh) -> Rights:
    """The rights that a mesh implies.

    Raises FindingsError if the role of pull requests could write a database of production.
    """
    _assert_no_name_of_pull_requests(mesh)
    reads = _reads_by_reader(mesh)
    domains = [
        Owner(product.name, product.owner_email, _policies(reads.pop(product.name, {}))) for product in mesh.products
    ]
    applications = [Application(name, _policies(tables)) for name, tables in sorted(reads.items())]
    return Rights((*domains, Owner(RECORDS, "")), tuple(applications), _whole_mesh(mesh))


def _assert_no_name_of_pull_requests(mesh: Mesh) -> None:
    start = ENVIRONMENTS_OF_PULL_REQUESTS
    domains = [(f"domains/{each.name}", "a domain") for each in mesh.products if each.name.startswith(start)]
    sources = {source.database for _, source in _sources(mesh) if source.database.startswith(start)}
    found = [*domains, *((name, "the database of a source") for name in sorted(sources))]
    if found:
        raise FindingsError(
            f"Names that begin with {start} belong to the environments of pull requests, whose role may write them.",
            found,
            "choose another name",
        )


def _whole_mesh(mesh: Mesh) -> WholeMesh:
    """It owns what the domains own, and the shared seeds. Like a domain, it only adds to the records."""
    owned = [name for product in mesh.products for name in (product.name, f"{product.name}__internal")]
    owned.append(f"{RECORDS}__internal")
    feeds = [source for _, source in _sources(mesh) if source.database != PREFIX + RECORDS]
    return WholeMesh(tuple(_portions(owned, DATABASES_PER_POLICY)), _policies(dict.fromkeys(feeds)))


def _reads_by_reader(mesh: Mesh) -> dict[str, dict[Table, date | None]]:
    """What each consumer and domain reads, with its last day. If a consumer is listed twice, the later day counts.

    A domain also reads which versions of its inputs were published or refused: `build --wait-for-inputs` asks.
    """
    found: dict[str, dict[Table, date | None]] = {}
    domains = {product.name for product in mesh.products}
    for port in mesh.ports.values():
        table = Table(PREFIX + port.product, port.relation.partition(".")[2])
        attempts = Table(PREFIX + RECORDS, f"publications__{port.product}")
        for consumer in port.meta.consumers:
            tables = found.setdefault(consumer.name, {})
            for read in (table, *([attempts] if consumer.name in domains else [])):
                tables[read] = _later(consumer.until, tables.get(read, date.min))
    for domain, source in _sources(mesh):
        found.setdefault(domain, {})[source] = None
    return found


def _sources(mesh: Mesh) -> Iterator[tuple[str, Table]]:
    """Each source with its domain. A domain with the records as a source reads those of all domains."""
    for source in mesh.sources.values():
        if source.schema.split("__")[-1] == RECORDS:
            yield source.product, Table(PREFIX + RECORDS, f"{source.table.partition('__')[0]}__*")
        else:
            yield source.product, Table(source.schema, source.table)


def _later(one: date | None, other: date | None) -> date | None:
    return max(one, other) if one and other else None


def _policies(tables: Mapping[Table, date | None]) -> tuple[tuple[Grant, ...], ...]:
    """Grants in portions that fit into a policy. Tables of a portion whose access ends together share a grant."""
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
    """The time at which access ends, if `until` is the last day on which a consumer may read."""
    return f"{until + timedelta(days=1)}T00:00:00Z" if until else ""
