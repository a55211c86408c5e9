"""Which port of one mesh is which port of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portmesh.contracts.diff.terms import PortTerms


@dataclass(frozen=True)
class Matched:
    """Pairs of (before, after), the ports that are gone, and the ports that are new."""

    pairs: tuple[tuple[PortTerms, PortTerms], ...]
    gone: tuple[PortTerms, ...]
    new: tuple[PortTerms, ...]

    @property
    def new_ids(self) -> dict[str, str]:
        """The new id of each port whose id changed, by its old one."""
        return {old.id: new.id for old, new in self.pairs if old.id != new.id}


def match(before: Mapping[str, PortTerms], after: Mapping[str, PortTerms]) -> Matched:
    """Ports of the same id; then a model that got or lost model versions; then a port that was renamed."""
    olds, news = dict(before), dict(after)
    pairs = []
    for is_same in (_is_same, _is_same_model, _starts_from, _is_moved, _is_renamed):
        for old in list(olds.values()):
            found = [new for new in news.values() if is_same(old, new)]
            # Of several versions, the one that kept the table, or else the latest.
            found.sort(key=lambda new: (new.relation != old.relation, new.model_version != new.latest_version))
            if found:
                pairs.append((old, found[0]))
                del olds[old.id], news[found[0].id]
    by_label = sorted(pairs, key=lambda pair: pair[1].label)
    return Matched(tuple(by_label), tuple(olds.values()), tuple(news.values()))


def _is_same(old: PortTerms, new: PortTerms) -> bool:
    return old.id == new.id


def _is_same_model(old: PortTerms, new: PortTerms) -> bool:
    """The model got or lost versions: only one side has some."""
    return old.model == new.model and bool(old.model_version) != bool(new.model_version)


def _starts_from(old: PortTerms, new: PortTerms) -> bool:
    name = old.port.name.partition(".v")[0]
    return old.port.product == new.port.product and old.model != new.model and new.meta.starts_from == name


def _is_moved(old: PortTerms, new: PortTerms) -> bool:
    """It has the same name in another domain."""
    return old.port.name == new.port.name and _has_its_columns(old, new)


def _is_renamed(old: PortTerms, new: PortTerms) -> bool:
    return old.port.product == new.port.product and old.model != new.model and _has_its_columns(old, new)


def _has_its_columns(old: PortTerms, new: PortTerms) -> bool:
    """Whether both have the same columns; a single column is too little to tell."""
    one, other = ([(column.name, column.type) for column in terms.columns.values()] for terms in (old, new))
    return one == other and len(one) > 1
