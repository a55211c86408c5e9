"""The schedule of the mesh: for each product when it starts, what it reads and makes, and how long it may take."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pydantic import BaseModel

from portmesh.durations import parse_duration
from portmesh.errors import FindingsError, UsageError, did_you_mean
from portmesh.keys import STARTS
from portmesh.made_file import MadeFile
from portmesh.mesh import Mesh, Port, Product
from portmesh.schedule.cron import cron_problem
from portmesh.text import count

SCHEDULE = MadeFile(
    Path("orchestration/dags/portmesh_schedule.json"),
    "The schedule of Airflow is not up to date",
    "older than the mesh",
    "portmesh schedule, then commit the file and deploy it",
)
VERSION = 1
"""The version of the file's format, which portmesh_dags.py compares with its own."""
TIMEOUT = "24h"
LONGEST = 365 * 86_400
"""The most seconds of a time span."""
RETRIES = 2


class ScheduledPort(BaseModel):
    """A port that a product makes: its name in dbt's selections, and what a row of it is."""

    fqn: str
    description: str


class ScheduledProduct(BaseModel):
    """A product: when it starts, who answers for it, what it reads (`inputs`) and makes (`ports`).

    `read_by` is the number of products that read it, directly or through others: the more, the earlier it is built.
    Without `schedule` and `on_inputs` it starts by hand only. Times are cron, in UTC.
    """

    description: str
    purpose: str
    owner: str
    email: str
    channel: str
    kind: str
    stage: str
    engine: str
    schedule: str | None
    on_inputs: bool
    upkeep: str | None
    timeout_seconds: int
    late_after_seconds: int | None
    retries: int
    inputs: list[str]
    read_by: int
    ports: dict[str, ScheduledPort]

    @property
    def reads(self) -> list[str]:
        """The products whose ports it reads."""
        return sorted({label.split(".")[0] for label in self.inputs})

    @property
    def starts(self) -> str:
        """When it starts, in words."""
        return starts_in_words(self.schedule, self.on_inputs)


class Schedule(BaseModel):
    """The products of a mesh by name."""

    mesh: str
    products: dict[str, ScheduledProduct]

    def render(self) -> str:
        """The text of the file. A product's `hash` changes with anything that its DAG is made from."""
        products = {name: {"hash": hash_of(product), **product.model_dump()} for name, product in self.products.items()}
        return json.dumps({"version": VERSION, "mesh": self.mesh, "products": products}, indent=1) + "\n"


def starts_in_words(schedule: str | None, on_inputs: bool) -> str:
    """`on a new input, at the latest at 0 9 * * *`."""
    ways = ["on a new input"] * on_inputs
    ways += [f"{'at the latest ' if on_inputs else ''}at {schedule}"] if schedule else []
    return ", ".join(ways) or "by hand only"


def starts_on_inputs(product: Product) -> bool:
    """Whether a new version of a port that the product reads starts it: if it says so, or has no schedule."""
    return bool(product.meta.starts_on) or bool(product.input_ports and not product.meta.schedule)


def hash_of(product: ScheduledProduct) -> str:
    """A short hash of all that a product's DAG is made from."""
    return hashlib.sha256(product.model_dump_json().encode()).hexdigest()[:12]


def read_schedule(mesh: Mesh) -> Schedule:
    """The schedule that a mesh declares.

    Raises FindingsError if a product's rhythm cannot be read, or if products would start each other for ever.
    """
    problems = [problem for product in mesh.products for problem in _problems(mesh, product)]
    if problems:
        raise FindingsError(
            f"The mesh has no schedule: {count(len(problems), 'finding')}.",
            problems,
            "correct the product's group, then: portmesh schedule",
        )
    products = {product.name: _scheduled(mesh, product) for product in mesh.products}
    _assert_no_circle(products)
    return Schedule(mesh=mesh.name, products=products)


def _problems(mesh: Mesh, product: Product) -> Iterator[tuple[str, str]]:
    """What is wrong with a product's keys: (product, sentence)."""
    meta = product.meta
    for key in ("schedule", "upkeep"):
        problem = cron_problem(getattr(meta, key)) if getattr(meta, key) else ""
        if problem:
            yield product.name, f"{key}: {getattr(meta, key)!r} is not cron, because {problem}"
    if meta.starts_on and meta.starts_on not in STARTS:
        near = did_you_mean(meta.starts_on, STARTS)
        yield product.name, f"starts_on: {meta.starts_on!r} is not known (allowed: {', '.join(STARTS)}).{near}"
    if meta.starts_on in STARTS and not _inputs(mesh, product):
        none = "no model of it reads a port of another product. Give it a schedule instead"
        yield product.name, f"starts_on: inputs, but {none}"
    if meta.upkeep and not product.ports:
        yield product.name, "upkeep: it has no port to keep up. Leave it out"
    for key in ("timeout", "late_after"):
        try:
            if not 0 < _seconds(getattr(meta, key) or TIMEOUT, key) <= LONGEST:
                yield product.name, f"{key}: {getattr(meta, key)!r} is not between 1min and 365d"
        except UsageError as error:
            facts = dict(error.facts)
            yield product.name, f"{error.message} {facts['got']!r} (allowed: {facts['allowed']})"


def _seconds(text: str, key: str) -> int:
    return int(parse_duration(text, f"{key}:").total_seconds())


def _inputs(mesh: Mesh, product: Product) -> list[str]:
    return sorted(mesh.ports[id_].label for id_ in product.input_ports)


def _readers(mesh: Mesh, product: str) -> set[str]:
    """The products that read a product, directly or through others."""
    found: set[str] = set()
    ahead = {product}
    while ahead:
        read = {id_ for id_, port in mesh.ports.items() if port.product in ahead}
        ahead = {one.name for one in mesh.products if read & set(one.input_ports)} - found
        found |= ahead
    return found - {product}


def _scheduled(mesh: Mesh, product: Product) -> ScheduledProduct:
    meta = product.meta
    return ScheduledProduct(
        **{key: getattr(meta, key) for key in ("purpose", "channel", "kind", "stage", "engine")},
        description=product.description,
        owner=product.owner_name,
        email=product.owner_email,
        schedule=meta.schedule or None,
        on_inputs=starts_on_inputs(product),
        upkeep=meta.upkeep or None,
        timeout_seconds=_seconds(meta.timeout or TIMEOUT, "timeout"),
        late_after_seconds=_seconds(meta.late_after, "late_after") if meta.late_after else None,
        retries=RETRIES if meta.retries is None else meta.retries,
        inputs=_inputs(mesh, product),
        read_by=len(_readers(mesh, product.name)),
        ports={port.label: _port(mesh, port) for port in product.ports},
    )


def _port(mesh: Mesh, port: Port) -> ScheduledPort:
    return ScheduledPort(fqn=mesh.nodes[port.id].fqn, description=port.grain)


def _assert_no_circle(products: Mapping[str, ScheduledProduct]) -> None:
    """Raise FindingsError if products that start on inputs read each other in a circle."""
    reads = {name: set(product.reads) for name, product in products.items() if product.on_inputs}
    try:
        list(TopologicalSorter({name: sorted(others & reads.keys()) for name, others in reads.items()}).static_order())
    except CycleError as error:
        circle: list[str] = error.args[1][1:]
        at = circle.index(min(circle))
        circle = circle[at:] + circle[:at]
        raise FindingsError(
            f"{', '.join(circle[:-1])} and {circle[-1]} would start each other for ever: each starts when the one "
            "before it has a new version.",
            [("circle", " → ".join([*circle, circle[0]]))],
            f"give one of them a rhythm of its own: schedule: 0 6 * * * in {circle[0]}, without starts_on: inputs",
        ) from error
