"""Compares the contracts of two meshes, port by port, and judges each change."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from portmesh.contracts.diff import checks, columns, consumers, ports, service
from portmesh.contracts.diff.difference import VERDICTS, Difference, differences
from portmesh.contracts.diff.matching import Matched
from portmesh.contracts.diff.terms import PortTerms
from portmesh.contracts.version import is_at_least, next_version

RULE_MODULES = (checks, columns, consumers, ports, service)
"""Each registers its rules when it is imported."""


@dataclass(frozen=True)
class PortChange:
    """How the contract of one port differs. `before` is None for a new port, `after` for one that is gone."""

    before: PortTerms | None
    after: PortTerms | None
    differences: tuple[Difference, ...]

    @property
    def port(self) -> PortTerms:
        """The port as it is now, or as it was."""
        found = self.after or self.before
        assert found
        return found

    @property
    def label(self) -> str:
        return self.port.label

    @property
    def verdict(self) -> str:
        return worst(self.differences)

    @property
    def version_before(self) -> str:
        return self.before.meta.version if self.before else ""

    @property
    def version(self) -> str:
        return self.after.meta.version if self.after else ""

    @property
    def version_asked_for(self) -> str:
        """The least contract version that the change asks for; empty if it asks for none, or there is no number."""
        asking = [one for one in self.differences if one.asks_for_version]
        if not (self.before and self.after and asking):
            return ""
        return next_version(self.version_before, _as_level(worst(asking)))

    @property
    def version_problem(self) -> str:
        """What is wrong with the declared contract version; empty if it matches the verdict."""
        least = self.version_asked_for or self.version_before
        if not (self.before and self.after) or not next_version(self.version_before, "patch"):
            return ""
        if not next_version(self.version, "patch"):
            return f"its version is {self.version or 'missing'}, which is not major.minor.patch such as {least}"
        if is_at_least(self.version, least):
            return ""
        if not is_at_least(self.version, self.version_before):
            return f"its version went back from {self.version_before} to {self.version}: set it to {least} or higher"
        return f"its version is {self.version}, and the change asks for {least} (before: {self.version_before})"


def worst(found: Iterable[Difference]) -> str:
    """The highest level; `patch` if there is no difference."""
    return max((one.level for one in found), key=VERDICTS.index, default="patch")


def _as_level(verdict: str) -> str:
    return "major" if verdict == "undetermined" else verdict


def compare(matched: Matched, models: Container[str], meaning: Mapping[str, Iterable[Difference]]) -> list[PortChange]:
    """All ports that differ between two meshes, in the order of their labels.

    `models` has the ids of all models that are there now. `meaning` has the differences in what columns and rows mean,
    by the id of the port.
    """
    found = [PortChange(old, new, (*differences(old, new), *meaning.get(new.id, ()))) for old, new in matched.pairs]
    found += [PortChange(old, None, (ports.removed(old, old.id in models),)) for old in matched.gone]
    found += [PortChange(None, new, (ports.added(_beside(new, matched)),)) for new in matched.new]
    return sorted((one for one in found if one.differences or one.version_problem), key=lambda one: one.label)


def _beside(new: PortTerms, matched: Matched) -> list[str]:
    """The labels of other versions of the model that stay."""
    return sorted(other.label for _, other in matched.pairs if other.model == new.model)
