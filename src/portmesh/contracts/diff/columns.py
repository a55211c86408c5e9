"""Rules on columns: which there are, their types, whether they are filled, and keys."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.contracts.diff.checks import pairs
from portmesh.contracts.diff.difference import Difference, rule
from portmesh.contracts.diff.terms import PortTerms
from portmesh.contracts.version import is_wider


@rule("PM311")
def column_removed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column was removed.

    Every statement that names it fails.
    """
    for name in before.columns:
        if name not in after.columns and name not in renamed(before, after):
            yield Difference("major", "the column is gone", name, (name,))


@rule("PM312")
def column_added(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column was added.

    Readers that name their columns do not notice.
    """
    for name, column in after.columns.items():
        if name not in before.columns and name not in renamed(before, after).values():
            yield Difference("minor", f"the column is new: {column.type}", name, (name,))


@rule("PM313")
def column_renamed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column was renamed.

    Every statement that uses its old name fails. It is taken for a rename if the new column has the place and the type
    of the old one.
    """
    for old, new in renamed(before, after).items():
        yield Difference("major", f"the column is gone; {new} stands in its place", old, (old,))


def renamed(before: PortTerms, after: PortTerms) -> dict[str, str]:
    """The new name of each column that was renamed, by its old name."""
    gone = [column for name, column in before.columns.items() if name not in after.columns]
    new = {(column.position, column.type): name for name, column in after.columns.items() if name not in before.columns}
    found = {column.name.lower(): new.get((column.position, column.type), "") for column in gone}
    return {old: name for old, name in found.items() if name}


@rule("PM314")
def columns_reordered(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The columns have another order.

    Readers that name their columns do not notice. A file, or a `union all` of two `select *`, gets another column.
    """
    old = [renamed(before, after).get(name, name) for name in before.columns]
    kept = [name for name in old if name in after.columns]
    now = [name for name in after.columns if name in kept]
    if kept != now:
        moved = next(name for name, other in zip(now, kept, strict=True) if name != other)
        yield Difference("minor", f"the columns have another order, from {moved} on")


@rule("PM315")
def type_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column has another type.

    Comparisons, joins and files that expect the old type fail, or lose digits.
    """
    for name, old, new in _types(before, after):
        if not is_wider(old, new):
            yield Difference("major", f"{old} became {new}", name, (name,))


@rule("PM316")
def type_widened(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column has a wider type.

    Iceberg and Athena read every old value as the new type: a larger whole number, float to double, or a decimal with
    more digits and the same scale (https://iceberg.apache.org/spec/#schema-evolution).
    """
    for name, old, new in _types(before, after):
        if is_wider(old, new):
            yield Difference("minor", f"{old} became {new}, which holds every old value", name, (name,))


def _types(before: PortTerms, after: PortTerms) -> Iterator[tuple[str, str, str]]:
    """The columns of both contracts whose types differ."""
    for name, column in before.columns.items():
        new = after.columns.get(name)
        if new and new.type != column.type:
            yield name, column.type, new.type


@rule("PM317")
def column_described(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column has another description.

    The rows are the same. If the words say something new, check that the values do, too.
    """
    for name, column in before.columns.items():
        if name in after.columns and after.columns[name].description != column.description:
            yield Difference("patch", "its description changed", name, (name,))


@rule("PM321")
def may_be_null(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column may be null now.

    Joins and sums of readers lose the rows in which it is null.
    """
    # The rules on checks speak about a check that is still there and no longer strict.
    weaker = {old.column for old, _ in pairs(before, after) if old.kind == "not_null" and old.is_strict}
    for name in before.columns:
        if name in before.filled - after.filled - weaker and name in after.columns:
            yield Difference("major", "it may be null now", name, (name,))


@rule("PM322")
def never_null(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column is never null now.

    Readers can rely on more.
    """
    checked = {check.column for check in before.checks if check.kind == "not_null"}
    for name in after.columns:
        if name in after.filled - checked and name in before.columns:
            yield Difference("minor", "it is never null now", name, (name,))


@rule("PM323")
def key_gone(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A key is no longer promised.

    A reader that joins on it gets rows twice. A key of fewer columns promises more, so it may take its place.
    """
    weaker = {old.key for old, _ in pairs(before, after) if old.is_strict}
    for key in sorted(before.keys, key=sorted):
        # The rules on removed columns and on checks speak about the others.
        is_elsewhere = not key <= set(after.columns) or key in weaker
        if not is_elsewhere and not any(other <= key for other in after.keys):
            yield Difference("major", f"there may be duplicates of {_and(key)} now", "key")


@rule("PM324")
def key_new(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A key is promised.

    Readers can rely on more.
    """
    for key in sorted(after.keys, key=sorted):
        is_elsewhere = not key <= set(before.columns) or key in _looked_at(before)
        if not is_elsewhere and not any(other <= key for other in before.keys):
            yield Difference("minor", f"there are no duplicates of {_and(key)} now", "key")


def _looked_at(port: PortTerms) -> set[frozenset[str]]:
    """Each set of columns that a check looks for duplicates in, whether it is strict or not."""
    return {check.key for check in port.checks}


@rule("PM325")
def replaces_other_rows(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A new batch replaces other rows.

    `unique_key` of an incremental port says which rows belong together; the gate refuses another one without the
    consumers' agreement.
    """
    if before.unique_key and before.unique_key != after.unique_key:
        now = _and(after.unique_key) if after.unique_key else "no key"
        yield Difference("major", f"a new batch replaces rows by {now}, before by {_and(before.unique_key)}", "key")


def _and(columns: frozenset[str] | tuple[str, ...]) -> str:
    return " and ".join(sorted(columns))
