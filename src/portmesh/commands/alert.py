"""`portmesh alert`: tell a product's owner what a run cannot tell itself: that it is late, or was killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from portmesh.alerts.causes import alerts_of, failure, lateness, mended
from portmesh.alerts.sending import Sender
from portmesh.commands.options import Target
from portmesh.dbt import environment_of, parse_manifest
from portmesh.errors import PortmeshError, UsageError, not_allowed
from portmesh.lake.targets import target_or_default
from portmesh.mesh import Mesh, read_mesh
from portmesh.output import console
from portmesh.production import PROD
from portmesh.runs.outcome import Report, publication
from portmesh.runs.records import read_records
from portmesh.state import ENVIRONMENT


def alert(
    product: Annotated[str, typer.Option(metavar="PRODUCT", help="Whose run it is, such as orders.")],
    failed: Annotated[str | None, typer.Option("--failure", metavar="TEXT", help="What happened, in words.")] = None,
    late: Annotated[str | None, typer.Option("--late", metavar="TEXT", help="How late the run is, in words.")] = None,
    target: Target = None,
) -> None:
    """Tell a product's owner that its run failed, or is late.

    It tells a cause once. It is for what a run cannot tell itself, because its process was killed or did not start.
    Failing to send is said, and the exit code stays 0.
    """
    target = target_or_default(target)
    if bool(failed) == bool(late):
        raise UsageError("Nobody was told.", [("allowed", "either --failure TEXT or --late TEXT")])
    manifest = parse_manifest("--target", target)
    mesh = read_mesh(manifest)
    channels = channels_of(mesh)
    if product not in channels:
        raise not_allowed("product", product, sorted(channels))
    sender = Sender(target, environment_of(manifest), {product: channels[product]})
    ports = _what_consumers_read(mesh, product, target)
    sender.send([failure(product, failed, ports) if failed else lateness(product, late or "", ports)])
    print_sent(sender)


def teller(report: Report, as_json: bool) -> Callable[[Mapping[str, Any]], None]:
    """What tells the owners of the products the outcome of a run. With `--json`, it prints to standard error only."""

    def tell(facts: Mapping[str, Any]) -> None:
        channels = channels_of(read_mesh(report.chosen.manifest)) if report.chosen else {}
        # A mesh that cannot be parsed has no channels: then the default one is told, for who started the run.
        products = facts["products"] or [os.environ.get("PORTMESH_PRODUCT") or "portmesh"]
        environment = report.chosen.environment if report.chosen else os.environ.get(ENVIRONMENT) or PROD
        sender = Sender(report.target, environment, {name: channels.get(name, "") for name in products})
        facts = {**facts, "products": products}
        sender.send(alerts_of(facts), mended(facts))
        print_sent(sender, stderr=as_json)

    return tell


def channels_of(mesh: Mesh) -> dict[str, str]:
    """The channel of each product."""
    return {product.name: product.meta.channel for product in mesh.products}


def print_sent(sender: Sender, stderr: bool = False) -> None:
    """Print who was told what, and on standard error what could not be told."""
    for text in sender.sent:
        console(stderr).print(text, markup=False, soft_wrap=True)
    for text in sender.faults:
        console(stderr=True).print(text, markup=False, soft_wrap=True)


def _what_consumers_read(mesh: Mesh, product: str, target: str) -> dict[str, dict[str, object]]:
    """The version of each port that consumers read; of none if the records cannot be read."""
    ports = {id_: port.label for id_, port in mesh.ports.items() if port.product == product}
    try:
        records = read_records(ports, target)
    except PortmeshError:
        return {}
    return {
        ports[id_]: {"consumers_read": publication(record.current) if record.current else None}
        for id_, record in records.items()
    }
