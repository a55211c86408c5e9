"""The whole answer to a change: per port the verdict, the readers, and what still has to be done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portmesh.contracts.diff.agreements import Agreed, problems_of, read_agreements
from portmesh.contracts.diff.compare import PortChange, compare, worst
from portmesh.contracts.diff.difference import RULES, Rule
from portmesh.contracts.diff.matching import match
from portmesh.contracts.diff.meaning import UNKNOWN, meaning_of, of_changed_domains, of_domain, with_new_ids
from portmesh.contracts.diff.reach import Side
from portmesh.contracts.diff.readers import REACHED, Reader, readers_of
from portmesh.contracts.diff.terms import PortTerms, read_terms
from portmesh.errors import FindingsError
from portmesh.lineage import Lineage, read_lineage
from portmesh.lineage.meaning import changes
from portmesh.lineage.meaning.keys import keys_of_both
from portmesh.lineage.query import misspelt_in
from portmesh.lineage.sql_of_node import is_python
from portmesh.state import MeshState

VERSION, CONSENT, UNCLEAR, MISSPELT = "PM391", "PM392", "PM393", "PM394"
"""What fails a change: its contract version, breaking readers who did not agree, an agreement about nothing, SQL that
cannot run."""
RULES |= {
    VERSION: Rule(
        VERSION,
        "The contract version matches the change",
        "`config.meta.version` is raised at least as far as the change asks for, and never lowered.",
    ),
    CONSENT: Rule(
        CONSENT,
        "Who is reached by a breaking change has agreed",
        "Or the change comes as a second model version beside the old one, which is kept until a date.",
    ),
    UNCLEAR: Rule(
        UNCLEAR,
        "An agreement is about a port of another domain, and of a day that has been",
        "A misspelled port would be an agreement to nothing.",
    ),
    MISSPELT: Rule(
        MISSPELT,
        "Changed SQL reads columns that exist",
        "It cannot run. What it does to readers is said when it can, and until then nobody is asked to agree.",
    ),
}
FEW = 2
"""Up to so many consumers are asked sooner than a second version is published."""
IN_PLACE = ("PM305", "PM308", "PM309", "PM361", "PM363")
"""Changes of who may read and how long, which a second version cannot spare anybody."""


@dataclass(frozen=True)
class Problem:
    """What has to be done before the change may land. `ways` are the ways to do it, the better one first."""

    code: str
    port: str
    text: str
    file: str
    ways: tuple[str, ...]


@dataclass(frozen=True)
class PortReport:
    """A changed port, its readers, who of them agreed, and its problems."""

    change: PortChange
    readers: tuple[Reader, ...]
    agreed: tuple[Agreed, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Report:
    """What a change does to the whole mesh, compared with `before`."""

    before: str
    after: str
    ports: tuple[PortReport, ...]
    unclear: tuple[Problem, ...]
    number_of_ports: int
    misspelt: tuple[Problem, ...] = ()

    @property
    def verdict(self) -> str:
        return worst([difference for port in self.ports for difference in port.change.differences])

    @property
    def problems(self) -> list[Problem]:
        return [*self.misspelt, *(problem for port in self.ports for problem in port.problems), *self.unclear]


def report(was: MeshState, now: MeshState, cache: Path | None = None) -> Report:
    """Compare two states of the mesh. `cache` is the file of lineage.

    Raises FindingsError if metadata of a port, a product or an agreement is not well-formed.
    """
    after, matched = now.manifest, match(_terms(was), _terms(now))
    before = with_new_ids(was.manifest, matched.new_ids)
    sides = (Side(before, read_lineage(before, cache)), Side(after, read_lineage(after, cache)))
    lineages = (sides[0].lineage, sides[1].lineage)
    keys = keys_of_both(before, after)
    found = changes(*of_changed_domains(before, after), lineages=lineages, keys=keys)
    meaning = meaning_of(matched, *sides, found, now.failed)
    models = {id_ for id_, node in after["nodes"].items() if node["resource_type"] == "model"}
    ports, agreed = compare(matched, models, meaning), read_agreements(after)
    broken = dict(_misspelt(before, after, sides[1].lineage))
    labels = {new.label for _, new in matched.pairs} | {new.label for new in matched.new}
    return Report(
        was.name,
        now.name,
        ports=tuple(
            PortReport(one, (), (), ()) if of_domain(one.port.id, after) & broken.keys() else _port(one, *sides, agreed)
            for one in ports
        ),
        unclear=tuple(
            Problem(
                UNCLEAR,
                one.port,
                f"The agreement of {one.consumer} to {one.port} means nothing: {why}",
                one.file,
                ("correct it, or remove it",),
            )
            for one, why in problems_of(agreed, labels)
        ),
        number_of_ports=len(labels),
        misspelt=tuple(broken.values()),
    )


def _misspelt(before: Mapping[str, Any], after: Mapping[str, Any], lineage: Lineage) -> Iterator[tuple[str, Problem]]:
    """Of each model whose SQL changed, the first column that it reads and that does not exist."""
    for id_, node in after["nodes"].items():
        was = before["nodes"].get(id_, {})
        if (
            id_ in lineage.nodes
            and lineage.nodes[id_].unknown
            and was.get("compiled_code") != node.get("compiled_code")
        ):
            for one in misspelt_in(node, lineage.tables)[:1]:
                label, file = lineage.tables.label(id_), f"domains/{node['package_name']}/{node['original_file_path']}"
                way = f"write {one.near}, or another column of {one.tables[0]}" if one.near else "name another column"
                yield id_, Problem(MISSPELT, label, f"{label}: {one}", file, (way,))


def _terms(state: MeshState) -> dict[str, PortTerms]:
    try:
        return read_terms(state.manifest, state.mesh)
    except FindingsError as error:
        raise FindingsError(error.message, [("in", state.name), *error.facts]) from error


def _port(change: PortChange, before: Side, after: Side, agreed: Sequence[Agreed]) -> PortReport:
    readers = readers_of(change, before, after)
    # If the version is not raised yet, they may have agreed already to what it has to be.
    versions = {change.version, change.version_asked_for if change.version_problem else change.version}
    own = tuple(one for one in agreed if one.port == change.label and one.version in versions)
    is_sql = not is_python(after.manifest["nodes"].get(change.port.id) or {})
    return PortReport(change, readers, own, tuple(_problems(change, readers, own, is_sql)))


def _problems(
    change: PortChange, readers: Sequence[Reader], agreed: Sequence[Agreed], is_sql: bool
) -> Iterator[Problem]:
    if change.version_problem:
        ways = (f"set config.meta.version to {change.version_asked_for or change.version_before}",)
        yield Problem(VERSION, change.label, f"{change.label}: {change.version_problem}", change.port.port.path, ways)
    if not any(one.breaks for one in change.differences):
        return
    names, said = {one.consumer for one in agreed}, _said_by_the_owner(change)
    silent = [
        one for one in readers if one.state == REACHED and one.name not in names and (one.file or one.name not in said)
    ]
    if silent:
        listed = ", ".join(one.name for one in silent)
        text = f"{change.label}: the change is {_major(change)}, and it reaches {listed} without agreement"
        yield Problem(CONSENT, change.label, text, change.port.port.path, tuple(_ways(change, silent, is_sql)))


def _major(change: PortChange) -> str:
    return "major" if change.verdict == "major" else "undetermined, which counts as major"


def _said_by_the_owner(change: PortChange) -> set[str]:
    """Consumers outside the mesh have no folder: the port itself says that they agreed."""
    agreements = change.after.meta.agreements if change.after else []
    return {name for one in agreements if one.from_ == change.version_before for name in one.with_}


def _ways(change: PortChange, silent: Sequence[Reader], is_sql: bool) -> Iterator[str]:
    if not change.after:
        yield "keep the port, set deprecation_date, and remove it after that day: docs/changes.md#the-end-of-a-port"
        return
    codes = {one.code for one in change.differences if one.breaks}
    version = change.version_asked_for or change.version
    agreement = f"{{port: {change.label}, version: {version}, by: NAME, date: YYYY-MM-DD}}"
    files = "\n".join(
        f"{one.file}: config.meta.agreements: [{agreement}]"
        if one.file
        else f"{change.port.port.path}: config.meta.agreements: "
        f"[{{from: {change.version_before}, with: [{one.name}], reason: WHY}}]"
        for one in silent
    )
    asking = f"ask {_and([one.name for one in silent])} to agree, each in its own folder:\n{files}"
    second = "publish it as a second version, and keep this one until a date: docs/changes.md#a-second-version"
    if UNKNOWN in codes and is_sql:
        yield "fix its SQL, or write it so that it can be read"
    if codes <= set(IN_PLACE):
        yield asking
    elif "PM303" in codes:
        yield "keep the old port beside the new one until a date: docs/changes.md#a-second-version"
        yield asking
    else:
        is_quick = len(silent) <= FEW and all(one.kind == "domain" for one in silent)
        yield from (asking, second) if is_quick else (second, asking)


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
