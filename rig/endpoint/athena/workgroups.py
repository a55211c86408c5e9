"""Enforces the settings of work groups. moto stores the groups, so that those from CloudFormation count too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.athena.models import WorkGroup, athena_backends
from moto.core import DEFAULT_ACCOUNT_ID


class InvalidRequestError(Exception):
    """A request that Athena's API refuses immediately."""


@dataclass(frozen=True)
class Demands:
    """The settings that a work group enforces for its queries."""

    output: str | None
    output_enforced: bool
    cutoff: int | None


def find(region: str, name: str) -> WorkGroup:
    """A work group by name."""
    groups = athena_backends[DEFAULT_ACCOUNT_ID][region].work_groups
    if name not in groups:
        raise InvalidRequestError(f"WorkGroup {name} is not found.")
    return groups[name]


def create(region: str, request: dict[str, Any]) -> dict[str, Any]:
    """CreateWorkGroup."""
    backend = athena_backends[DEFAULT_ACCOUNT_ID][region]
    if request["Name"] in backend.work_groups:
        raise InvalidRequestError(f"WorkGroup {request['Name']} is already created.")
    backend.create_work_group(
        request["Name"], request.get("Configuration", {}), request.get("Description", ""), request.get("Tags", [])
    )
    return {}


def update(region: str, request: dict[str, Any]) -> dict[str, Any]:
    """UpdateWorkGroup: changes only the settings that the request names."""
    group = find(region, request["WorkGroup"])
    changes = dict(request.get("ConfigurationUpdates", {}))
    results = dict(changes.pop("ResultConfigurationUpdates", {}))
    if changes.pop("RemoveBytesScannedCutoffPerQuery", False):
        group.configuration.pop("BytesScannedCutoffPerQuery", None)
    if results.pop("RemoveOutputLocation", False):
        group.configuration.get("ResultConfiguration", {}).pop("OutputLocation", None)
    group.configuration.setdefault("ResultConfiguration", {}).update(results)
    group.configuration.update(changes)
    group.description = request.get("Description", group.description)
    group.state = request.get("State", group.state)
    return {}


def delete(region: str, request: dict[str, Any]) -> dict[str, Any]:
    """DeleteWorkGroup."""
    if request["WorkGroup"] == "primary":
        raise InvalidRequestError("The primary WorkGroup cannot be deleted.")
    find(region, request["WorkGroup"])
    athena_backends[DEFAULT_ACCOUNT_ID][region].delete_work_group(request["WorkGroup"])
    return {}


def describe(group: WorkGroup) -> dict[str, Any]:
    """The response of GetWorkGroup."""
    return {
        "Name": group.name,
        "State": group.state,
        "Description": group.description,
        "Configuration": {"ResultConfiguration": {}, **group.configuration},
    }


def demands(group: WorkGroup) -> Demands:
    """The settings for a query in this work group."""
    if group.state != "ENABLED":
        raise InvalidRequestError(f"WorkGroup {group.name} is disabled.")
    output = group.configuration.get("ResultConfiguration", {}).get("OutputLocation")
    return Demands(
        output=output,
        output_enforced=bool(output) and group.configuration["EnforceWorkGroupConfiguration"],
        cutoff=group.configuration.get("BytesScannedCutoffPerQuery"),
    )
