"""PM208: what ended, and still stands in YAML. dbt only warns (PM105, PM119), because a date must not stop a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from portmesh.rules.checked_mesh import CheckedMesh, label, meta_of
from portmesh.rules.finding import Finding


def date_is_not_past(mesh: CheckedMesh) -> Iterator[Finding]:
    for id_, port in mesh.ports.items():
        file = mesh.yaml_of(port)
        for consumer in meta_of(port).get("consumers") or []:
            until = _day(consumer.get("until")) if isinstance(consumer, dict) else None
            if until and until < mesh.today:
                name = consumer.get("name")
                yield Finding(
                    "PM208",
                    file,
                    mesh.line_of_entry(port, str(until)),
                    f"{name}'s access to {label(port)} ended on {until}, and {name} is still among its consumers.",
                    "Remove the entry, or agree on a new date",
                    id_,
                    f"access of {name}",
                )
        ended = _day(port.get("deprecation_date"))
        if ended and ended < mesh.today:
            yield Finding(
                "PM208",
                file,
                mesh.line_of_entry(port, "deprecation_date"),
                f"{label(port)} was to end on {ended}, and is still built.",
                f"Retire it with portmesh retire {label(port)}, or agree on a new date with its consumers",
                id_,
                "deprecation_date",
            )


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None
