"""Ports as contracts of the Open Data Contract Standard (ODCS 3.2, https://bitol-io.github.io).

What the standard has a place for stands in that place. The exact words of Portmesh, which the standard cannot hold,
stand beside it in custom properties of the vendor `portmesh`. When a file comes back, they count only where the
standard's own fields still say the same, so that a change by another tool is not lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from open_data_contract_standard.model import (
    Description,
    OpenDataContractStandard,
    Role,
    SchemaObject,
    Server,
    ServiceLevelAgreementProperty,
    Support,
    Team,
    TeamMember,
)

from portmesh.contracts.odcs_checks import as_json, to_rules
from portmesh.contracts.odcs_columns import custom, stable_id, to_property
from portmesh.contracts.port_contract import PortContract, ProductFacts, dump, plain

API_VERSION = "v3.2.0"
KINDS = {"source-aligned": "sourceAligned", "aggregate": "aggregate", "consumer-aligned": "consumerAligned"}
OWN_META = ("version", "classification", "subject", "freshness", "consumers")
"""Keys of `config.meta` that the standard has a place for, or that stand in a custom property of their own."""
UNITS = {"minute": "m", "hour": "h", "day": "d"}


def to_odcs(port: PortContract, product: ProductFacts, servers: Sequence[Server] = ()) -> OpenDataContractStandard:
    """The contract of a port. The owner, the channel and the stage are those of its product."""
    meta = port.meta
    rest_of_meta = {key: value for key, value in meta.items() if key not in OWN_META}
    kept = {key: value for key, value in {"meta": rest_of_meta, "model": port.rest}.items() if value}
    own = [custom("port", {"domain": port.domain, "name": port.name, "version": port.model_version})]
    own += [custom("product", _product(product))]
    own += [custom(key, plain(meta[key])) for key in ("classification", "subject") if key in meta]
    own += [custom("yaml", dump(kept))] if kept else []
    return OpenDataContractStandard(
        apiVersion=API_VERSION,
        kind="DataContract",
        id=port.label,
        name=port.label,
        version=str(meta.get("version") or "0.0.0"),
        status=product.stage or "draft",
        domain=port.domain,
        dataProduct=port.domain,
        description=Description(purpose=product.purpose) if product.purpose else None,
        schema=[_object(port)],
        team=_team(product),
        support=_support(product),
        roles=[as_role(one) for one in meta.get("consumers") or []] or None,
        slaProperties=as_freshness(meta.get("freshness"), port.name),
        servers=list(servers) or None,
        customProperties=own,
    )


def _product(product: ProductFacts) -> dict[str, str]:
    facts = {key: getattr(product, key) for key in ("kind", "engine", "description", "github")}
    return {key: value for key, value in facts.items() if value}


def _team(product: ProductFacts) -> Team | None:
    if not product.owner_name and not product.owner_email:
        return None
    member = TeamMember(username=product.owner_email, name=product.owner_name or None, role="owner")
    return Team(name=product.owner_name or None, members=[member] if product.owner_email else None)


def _support(product: ProductFacts) -> list[Support] | None:
    found = []
    if product.channel:
        found.append(Support(channel=product.channel, tool="slack" if product.channel.startswith("#") else "other"))
    if product.owner_email:
        found.append(Support(channel=product.owner_email, url=f"mailto:{product.owner_email}", tool="email"))
    return found or None


def as_role(consumer: Mapping[str, Any]) -> Role:
    """The standard has no consumers. A role that may read comes nearest."""
    own = [custom("consumer", as_json(consumer))]
    purpose = str(consumer.get("purpose") or "") or None
    return Role(role=str(consumer.get("name")), access="read", description=purpose, customProperties=own)


def as_freshness(given: Any, table: str) -> list[ServiceLevelAgreementProperty] | None:
    """The service level of a port's `freshness`: the age at which it is an error, else the one at which it warns."""
    if not isinstance(given, Mapping):
        return None
    limit = given.get("error_after") or given.get("warn_after")
    if not isinstance(limit, Mapping):
        return None
    return [
        ServiceLevelAgreementProperty(
            property="freshness",
            value=limit["count"],
            unit=UNITS.get(str(limit["period"]), str(limit["period"])),
            element=f"{table}.{given['column']}",
            customProperties=[custom("freshness", plain(given))],
        )
    ]


def _object(port: PortContract) -> SchemaObject:
    own = [custom("checks", dump(port.checks))] if port.checks else None
    return SchemaObject(
        id=stable_id(port.name),
        name=port.name,
        physicalName=port.table or table_name(port),
        physicalType="table",
        logicalType="object",
        description=port.description or None,
        properties=[to_property(column, port) for column in port.columns] or None,
        quality=to_rules(port.checks),
        customProperties=own,
    )


def table_name(port: PortContract) -> str:
    """The table's name, if the YAML says no other."""
    return port.name + (f"_v{port.model_version}" if port.model_version else "")


def as_yaml(contract: OpenDataContractStandard) -> str:
    """The text of a contract's file."""
    return dump(contract.model_dump(exclude_none=True, by_alias=True))
