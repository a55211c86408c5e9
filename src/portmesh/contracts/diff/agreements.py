"""What consumers agreed to, in files of their own folders: `config.meta.agreements` of a product or an exposure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError

from portmesh.errors import FindingsError, did_you_mean
from portmesh.invalid import facts_of
from portmesh.keys import ConsumerAgreement, ExposureMeta, ProductMeta


@dataclass(frozen=True)
class Agreed:
    """One agreement: who agrees, to which version of which port, and the file that says so."""

    consumer: str
    port: str
    version: str
    by: str
    on: date
    file: str


def read_agreements(manifest: Mapping[str, Any]) -> list[Agreed]:
    """The agreements of all products and exposures, in order of the consumers.

    Raises FindingsError if one is not complete.
    """
    found = [
        Agreed(node["name"], one.port, one.version, one.by, one.date_, file)
        for node, file, meta in _places(manifest)
        for one in _agreements(node, file, meta)
    ]
    return sorted(found, key=lambda one: (one.consumer, one.port, one.version))


def _places(manifest: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str, type[ProductMeta | ExposureMeta]]]:
    kinds = (("groups", ProductMeta), ("exposures", ExposureMeta))
    for kind, meta in kinds:
        for node in manifest.get(kind, {}).values():
            yield node, f"domains/{node['package_name']}/{node['original_file_path']}", meta


def _agreements(node: Mapping[str, Any], file: str, meta: type[ProductMeta | ExposureMeta]) -> list[ConsumerAgreement]:
    given = ((node.get("config") or {}).get("meta") or {}).get("agreements") or []
    try:
        return meta.model_validate({"agreements": given}).agreements
    except ValidationError as error:
        raise FindingsError(
            f"The agreements of {node['name']} cannot be read.",
            [("file", file), *facts_of(error), ("allowed", EXAMPLE)],
            "fix it, then run this again",
        ) from error


EXAMPLE = "agreements: [{port: orders.order_lines, version: 2.0.0, by: ana@example.com, date: 2026-11-26}]"


def problems_of(agreed: Iterable[Agreed], ports: Iterable[str]) -> Iterator[tuple[Agreed, str]]:
    """The agreements that cannot mean what they say, each with the reason. `ports` are the labels of all ports."""
    known, today = sorted(ports), datetime.now(UTC).date()
    for one in agreed:
        if one.port not in known:
            yield one, f"there is no port {one.port}.{did_you_mean(one.port, known)}"
        elif one.port.split(".")[0] == one.consumer:
            yield one, f"{one.port} is its own port: only consumers agree"
        elif one.on > today:
            yield one, f"it is of {one.on}, which is to come"
