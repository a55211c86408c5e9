"""Products in the Open Data Product Standard (ODPS 1.1; 0.9 and 1.0 are readable too; https://bitol-io.github.io).

The standard publishes a JSON Schema and no models, so these are the parts of it that a product of Portmesh has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml.error import YAMLError

from portmesh.contracts.odcs import KINDS
from portmesh.contracts.port_contract import PortContract, ProductFacts, dump
from portmesh.contracts.yaml_text import load
from portmesh.errors import UsageError

API_VERSION = "v1.1.0"
VENDOR = "portmesh"
READABLE = r"v(0\.9|1\.[01])\.\d+"


class _Part(BaseModel):
    """Parts of the standard that Portmesh does not know are read past."""

    model_config = ConfigDict(extra="ignore")


class Custom(_Part):
    """A custom property."""

    property: str
    value: Any
    vendor: str | None = None


class OdpsDescription(_Part):
    """What the product is for."""

    purpose: str | None = None
    limitations: str | None = None
    usage: str | None = None


class InputPort(_Part):
    """What the product reads."""

    name: str
    version: str | None = None
    contractId: str | None = None  # noqa: N815 - the standard's name


class OutputPort(_Part):
    """What the product publishes. `contractId` is the id of the port's contract (ODCS)."""

    name: str
    description: str | None = None
    type: str | None = None
    version: str | None = None
    contractId: str | None = None  # noqa: N815 - the standard's name


class Channel(_Part):
    """Where to ask."""

    channel: str
    url: str
    tool: str | None = None


class Member(_Part):
    """A person or address of the team."""

    username: str
    name: str | None = None
    role: str | None = None


class OdpsTeam(_Part):
    """Who owns the product."""

    name: str | None = None
    members: list[Member] | None = None


class DataProduct(_Part):
    """A product."""

    apiVersion: str = API_VERSION  # noqa: N815 - the standard's name
    kind: str = "DataProduct"
    id: str
    name: str | None = None
    status: str | None = None
    domain: str | None = None
    type: str | None = None
    description: OdpsDescription | None = None
    customProperties: list[Custom] | None = None  # noqa: N815 - the standard's name
    inputPorts: list[InputPort] | None = None  # noqa: N815 - the standard's name
    outputPorts: list[OutputPort] | None = None  # noqa: N815 - the standard's name
    support: list[Channel] | None = None
    team: OdpsTeam | None = Field(default=None)


def to_odps(product: ProductFacts, ports: Sequence[PortContract], reads: Sequence[PortContract]) -> DataProduct:
    """A product with its ports. `reads` are the ports of other products that it is built from."""
    email = product.owner_email
    support = [Channel(channel=email, url=f"mailto:{email}", tool="email")] if email else []
    own = {key: getattr(product, key) for key in ("engine", "channel", "description", "github")}
    member = Member(username=email, name=product.owner_name or None, role="owner") if email else None
    team = OdpsTeam(name=product.owner_name or None, members=[member] if member else None)
    return DataProduct(
        id=product.name,
        name=product.name,
        status=product.stage or "draft",
        domain=product.name,
        type=KINDS.get(product.kind, product.kind) or None,
        description=OdpsDescription(purpose=product.purpose) if product.purpose else None,
        customProperties=[Custom(property=key, value=value, vendor=VENDOR) for key, value in own.items() if value]
        or None,
        inputPorts=[_input(port) for port in reads] or None,
        outputPorts=[_output(port) for port in ports] or None,
        support=support or None,
        team=team if product.owner_name or email else None,
    )


def _input(port: PortContract) -> InputPort:
    return InputPort(name=port.label, version=_version(port), contractId=port.label)


def _output(port: PortContract) -> OutputPort:
    name = port.label.partition(".")[2]
    return OutputPort(
        name=name, description=port.description or None, type="tables", version=_version(port), contractId=port.label
    )


def _version(port: PortContract) -> str | None:
    return str(port.meta["version"]) if port.meta.get("version") else None


def as_yaml(product: DataProduct) -> str:
    """The text of a product's file."""
    return dump(product.model_dump(exclude_none=True))


def read_odps(text: str, path: str) -> DataProduct:
    """A product of ODPS 0.9 to 1.1. Raises UsageError if the file is none."""
    try:
        raw = load(text)
    except YAMLError as error:
        said = " ".join(str(error).split())[:300]
        raise UsageError("The file is no YAML.", [("file", path), ("said", said)]) from error
    kind = raw.get("kind") if isinstance(raw, dict) else None
    version = str(raw.get("apiVersion", "")) if isinstance(raw, dict) else ""
    if kind != "DataProduct" or not re.fullmatch(READABLE, version):
        facts = [("file", path), ("got", f"kind {kind or 'missing'}, apiVersion {version or 'missing'}")]
        facts.append(("allowed", "kind: DataProduct, apiVersion: v0.9.0 to v1.1.0"))
        raise UsageError("The file is no product of the Open Data Product Standard.", facts)
    try:
        return DataProduct.model_validate(raw)
    except ValidationError as error:
        problems = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()[:5]]
        raise UsageError("The file does not fit the standard.", [("file", path), *problems]) from error


def facts_of(product: DataProduct) -> ProductFacts:
    """What a group of Portmesh says, from a product of the standard."""
    own = {one.property: str(one.value) for one in product.customProperties or [] if one.vendor == VENDOR}
    kinds = {word: kind for kind, word in KINDS.items()}
    members = product.team.members or [] if product.team else []
    owner = next((one for one in members if "owner" in (one.role or "").lower()), None)
    others = [one.channel for one in product.support or [] if one.tool != "email"]
    return ProductFacts(
        name=product.name or product.id,
        description=own.get("description", ""),
        owner_name=(product.team.name if product.team else "") or (owner.name if owner else "") or "",
        owner_email=owner.username if owner and "@" in owner.username else "",
        kind=kinds.get(product.type or "", product.type or ""),
        stage=product.status or "",
        engine=own.get("engine", ""),
        purpose=(product.description.purpose if product.description else "") or "",
        channel=own.get("channel", "") or next(iter(others), ""),
        github=own.get("github", ""),
    )
