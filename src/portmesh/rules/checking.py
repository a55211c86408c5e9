"""Applies all rules to a mesh, and leaves out what is exempted or in a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from portmesh.keys import EXEMPTIBLE_RULES
from portmesh.repository import target_folder
from portmesh.rules.check_can_fail import check_can_fail
from portmesh.rules.checked_mesh import CheckedMesh, meta_of
from portmesh.rules.columns_of_ports_are_named import columns_of_ports_are_named
from portmesh.rules.date_is_not_past import date_is_not_past
from portmesh.rules.declared_lineage_can_be_right import declared_lineage_can_be_right
from portmesh.rules.domain_reads_through_ref import domain_reads_through_ref
from portmesh.rules.finding import Finding
from portmesh.rules.jinja_reads_what_the_domain_may import jinja_reads_what_the_domain_may
from portmesh.rules.kept_reads import KeptReads
from portmesh.rules.owner_approves_changes import owner_approves_changes
from portmesh.rules.port_has_a_reader import port_has_a_reader
from portmesh.rules.products_form_no_cycle import products_form_no_cycle
from portmesh.rules.python_writes_only_its_rows import python_writes_only_its_rows
from portmesh.rules.rendering import third_party_packages
from portmesh.rules.source_is_the_only_way_in import source_is_the_only_way_in
from portmesh.rules.sql_can_be_read import sql_can_be_read
from portmesh.rules.table_is_declared import table_is_declared
from portmesh.rules.texts import needs_dbt
from portmesh.state import MeshState, current_state, read_state

Rule = Callable[[CheckedMesh], Iterator[Finding]]
RULES: Mapping[str, Rule] = {
    "PM201": domain_reads_through_ref,
    "PM202": table_is_declared,
    "PM203": source_is_the_only_way_in,
    "PM204": jinja_reads_what_the_domain_may,
    "PM205": columns_of_ports_are_named,
    "PM206": check_can_fail,
    "PM207": port_has_a_reader,
    "PM208": date_is_not_past,
    "PM209": owner_approves_changes,
    "PM210": products_form_no_cycle,
    "PM211": sql_can_be_read,
    "PM212": declared_lineage_can_be_right,
    "PM213": python_writes_only_its_rows,
}
OF_OTHER_FILES = frozenset(("PM209",))
"""Rules about files that dbt does not read, so that an earlier state does not have them as they were."""


@dataclass(frozen=True)
class Checked:
    """The findings in a state, by its name."""

    name: str
    findings: tuple[Finding, ...]


def check_mesh(root: Path, against: str | None = None, target: str | None = None) -> Checked:
    """Check the current files. Findings that an earlier state `against` has too are left out, as far as a state shows.

    Raises what `current_state` and `read_state` raise.
    """
    today = datetime.now(UTC).date()
    state = current_state(target, needs_dbt())
    reads = KeptReads(target_folder(root) / "portmesh" / "check.json")
    findings = find_findings(_mesh(state, root, today, reads))
    reads.save()
    if not against:
        return Checked(state.name, tuple(findings))
    before = read_state(against, target)
    found_before = find_findings(_mesh(before, root, today, reads))
    known = {finding.key for finding in found_before if finding.code not in OF_OTHER_FILES}
    name = f"{state.name}, besides those of {before.name}"
    return Checked(name, tuple(finding for finding in findings if finding.key not in known))


def _mesh(state: MeshState, root: Path, today: date, reads: KeptReads) -> CheckedMesh:
    mesh = CheckedMesh(state.manifest, root, today, state.failed, reads)
    return replace(mesh, third_party=third_party_packages(mesh))


def find_findings(mesh: CheckedMesh) -> list[Finding]:
    """All findings that are not exempted, in order. Of several with one key, only the first."""
    found: dict[tuple[str, str, str], Finding] = {}
    for rule in RULES.values():
        for finding in rule(mesh):
            if not is_exempt(mesh, finding):
                found.setdefault(finding.key, finding)
    return sorted(found.values())


def is_exempt(mesh: CheckedMesh, finding: Finding) -> bool:
    """Whether the resource has a valid exemption from the rule. PM115 reports the others."""
    node = mesh.resources.get(finding.node)
    given: Any = meta_of(node).get("exemptions") if node else None
    entries: Iterable[Any] = given if isinstance(given, list) else ()
    return any(isinstance(each, dict) and _is_valid(each, finding.code, mesh.today) for each in entries)


def _is_valid(exemption: Mapping[str, Any], code: str, today: date) -> bool:
    is_for_it = exemption.get("rule") == code and code in EXEMPTIBLE_RULES
    until = str(exemption.get("until") or "")
    return is_for_it and isinstance(exemption.get("reason"), str) and bool(exemption["reason"]) and until >= str(today)
