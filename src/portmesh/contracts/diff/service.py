"""Rules on the service level, the classification, and how the product is run."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.contracts.diff.difference import Difference, rule
from portmesh.contracts.diff.promises import LEVEL, of_most, seconds
from portmesh.contracts.diff.terms import PortTerms
from portmesh.keys import CLASSIFICATIONS, Period


@rule("PM351")
def freshness_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The service level changed.

    Readers plan by it: with a longer time, or without one, they may read older rows than before.
    """
    old, new = before.meta.freshness, after.meta.freshness
    for level in ("warn_after", "error_after"):
        one, other = (getattr(terms, level, None) for terms in (old, new))
        if move := of_most(_seconds(one), _seconds(other)):
            text = f"{level} is {other or 'not set'}, before {one or 'not set'}"
            yield Difference(LEVEL[move], text, "freshness")


def _seconds(period: Period | None) -> float | None:
    return seconds(period.count, period.period) if period else None


@rule("PM352")
def freshness_of_another_column(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The service level measures another column.

    Nobody can say whether the rows are as new as before.
    """
    old, new = before.meta.freshness, after.meta.freshness
    if old and new and old.column.lower() != new.column.lower():
        yield Difference("undetermined", f"it measures {new.column}, before {old.column}", "freshness")


@rule("PM353")
def fewer_versions_kept(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """Another number of published versions is kept.

    It decides how far a rollback can go. Readers see the newest version only.
    """
    one, other = before.meta.keep_versions, after.meta.keep_versions
    if one != other:
        yield Difference("patch", f"{other} versions are kept, before {one}", "keep_versions")


@rule("PM354")
def classification_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The classification of a port changed.

    With a higher one, readers must protect better what they have copied already. Their statements run as before, and
    an owner must be able to raise it at once.
    """
    yield from _sensitivity(before.meta.classification, after.meta.classification, "classification", ())


@rule("PM355")
def level_of_column_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The level of a column changed.

    With a higher one, readers of the column must protect better what they have copied already.
    """
    for name, column in before.columns.items():
        if name in after.columns:
            yield from _sensitivity(column.level, after.columns[name].level, name, (name,))


def _sensitivity(old: str, new: str, about: str, columns: tuple[str, ...]) -> Iterator[Difference]:
    if old != new:
        order = ("", *CLASSIFICATIONS)
        is_lower = new in order and old in order and order.index(new) < order.index(old)
        text = f"it is {new or 'not classified'} now, before {old or 'not classified'}"
        yield Difference("patch" if is_lower else "minor", text, about, columns)


@rule("PM356")
def subject_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A port says something else about whom its rows are about.

    Readers who answer or erase requests of these people look for them by this key.
    """
    one, other = (
        f"{terms.entity} by {terms.key}" if terms else "nobody" for terms in (before.meta.subject, after.meta.subject)
    )
    if one != other:
        yield Difference("minor", f"its rows are about {other}, before about {one}", "subject")


@rule("PM365")
def owner_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The product has another owner.

    Somebody else answers from now on. The contract says the same.
    """
    old, new = before.owner, after.owner
    one, other = (" ".join(part for part in (owner.name, owner.email) if part) for owner in (old, new))
    if one != other:
        yield Difference(
            "patch", f"{other or 'nobody'} owns it, before {one or 'nobody'}", "owner", asks_for_version=False
        )


@rule("PM366")
def stage_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The product is at another stage.

    A product that is deprecated or retired should get no new readers.
    """
    one, other = before.owner.meta.stage, after.owner.meta.stage
    if one != other:
        is_ending = other in ("deprecated", "retired")
        text = f"its product is {other or 'at no stage'}, before {one or 'at no stage'}"
        yield Difference("minor" if is_ending else "patch", text, "stage", asks_for_version=False)


@rule("PM367")
def engine_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The product is built on another engine.

    The table and its types stay the same. Functions of the engine may round and compare differently.
    """
    one, other = before.owner.meta.engine, after.owner.meta.engine
    if one != other:
        yield Difference(
            "minor",
            f"it is built on {other or 'no engine'}, before on {one or 'no engine'}",
            "engine",
            asks_for_version=False,
        )


@rule("PM368")
def product_described(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The product says something else about its kind, its purpose or where to ask.

    No row depends on it.
    """
    old, new = before.owner.meta, after.owner.meta
    changed = [key for key in ("kind", "purpose", "channel") if getattr(old, key) != getattr(new, key)]
    if changed:
        yield Difference("patch", f"its product has another {' and '.join(changed)}", "product", asks_for_version=False)
