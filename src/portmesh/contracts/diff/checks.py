"""Rules on checks: what the audit promises about every published version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from portmesh.contracts.diff.difference import Difference, rule
from portmesh.contracts.diff.promises import (
    LEVEL,
    LOOSER,
    TIGHTER,
    UNKNOWN,
    of_condition,
    of_least,
    of_most,
    parse,
    seconds,
    value_of,
    worst,
)
from portmesh.contracts.diff.terms import PortTerms
from portmesh.port_checks import CheckTerms

COMPARED = {
    "accepted_values": {"values"},
    "accepted_range": {"min_value", "max_value"},
    "matches_pattern": {"pattern"},
    "expression_is_true": {"expression"},
    "not_null_share": {"at_least"},
    "rejected_rows": {"at_most"},
    "row_count_between": {"min_rows", "max_rows"},
    "fresh_within": {"count", "period"},
    "relationships": {"to", "field"},
    "unique_combination": {"columns"},
}
"""The arguments that a rule of their own compares, by the kind of check."""


def pairs(before: PortTerms, after: PortTerms) -> list[tuple[CheckTerms, CheckTerms]]:
    """The checks that both contracts have."""
    return [(old, new) for old, new in _matched(before, after) if old and new and old != new]


def _matched(before: PortTerms, after: PortTerms) -> list[tuple[CheckTerms | None, CheckTerms | None]]:
    """Checks of both contracts side by side: the same one, the same name, the same kind and column.

    Checks of a column that only one contract has are not listed: the column says it all.
    """
    if before.checks == after.checks and before.columns.keys() == after.columns.keys():
        return [(check, check) for check in before.checks]
    gone, new = set(before.columns) - set(after.columns), set(after.columns) - set(before.columns)
    olds = [check for check in before.checks if check.column not in gone]
    news = [check for check in after.checks if check.column not in new]
    found: list[tuple[CheckTerms | None, CheckTerms | None]] = []
    for sameness in (_all_of_it, _name, _kind_and_place):
        for old in list(olds):
            same = next((one for one in news if sameness(one) == sameness(old)), None)
            if same:
                olds.remove(old)
                news.remove(same)
                found.append((old, same))
    return [*found, *((old, None) for old in olds), *((None, one) for one in news)]


def _all_of_it(check: CheckTerms) -> object:
    return replace(check, name="")


def _name(check: CheckTerms) -> object:
    return (check.name, check.kind, check.column)


def _kind_and_place(check: CheckTerms) -> object:
    key = check.arguments.get("columns") if check.kind == "unique_combination" else None
    return (check.kind, check.column, key)


def _difference(check: CheckTerms, port: PortTerms, move: str, text: str) -> Difference:
    """A moved promise. A check that only warns is none, so that nobody can rely on it."""
    level = LEVEL[move] if check.severity == "error" else "patch"
    columns = (check.column,) if check.column in port.columns else ()
    return Difference(level, text, check.label, columns)


def _says_it_all(check: CheckTerms) -> bool:
    """Whether the rules on keys and nullability speak about the check."""
    return check.is_strict and check.kind in ("not_null", "unique", "unique_combination")


@rule("PM331")
def check_removed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A check was removed.

    Rows that it refused can come now. Without a check that only warns, nothing can come that could not come before.
    """
    for old, new in _matched(before, after):
        if old and not new and not _says_it_all(old):
            yield _difference(old, after, LOOSER, "the check was removed")


@rule("PM332")
def check_added(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A check was added.

    Readers can rely on more. A check that only warns is no promise.
    """
    for old, new in _matched(before, after):
        if new and not old and not _says_it_all(new):
            yield _difference(new, after, TIGHTER, "the check is new")


@rule("PM333")
def severity_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A check only warns now, or it refuses now.

    A version whose check only warns is published with the failing rows in it.
    """
    for old, new in pairs(before, after):
        if old.severity != new.severity:
            is_looser = new.severity == "warn"
            text = "it only warns now: failing rows are published" if is_looser else "it refuses now; before, it warned"
            yield _difference(replace(old, severity="error"), after, LOOSER if is_looser else TIGHTER, text)


@rule("PM334")
def where_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A check looks at other rows.

    A condition in `where` excuses the rows that do not meet it: a check with more conditions promises less. If
    neither condition contains the other, nobody can say which rows are excused.
    """
    for old, new in pairs(before, after):
        move = {LOOSER: TIGHTER, TIGHTER: LOOSER}.get(found := of_condition(old.where, new.where), found)
        if move:
            text = f"it looks at {_rows(new.where)}, before at {_rows(old.where)}"
            yield _difference(old, after, move, text)


def _rows(where: str) -> str:
    return f"rows where {where}" if where else "all rows"


@rule("PM335")
def limit_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A check allows another number of failures.

    With a higher limit more failing rows are published. Limits that are no plain numbers are not compared.
    """
    for old, new in pairs(before, after):
        one, other = (
            check.error_if if "error" in (old.severity, new.severity) else check.warn_if for check in (old, new)
        )
        if one != other:
            most = [_most_failures(limit) for limit in (one, other)]
            move = UNKNOWN if None in most else of_most(*most)
            if move:
                yield _difference(old, after, move, f"it fails if the number of failures is {other}, before {one}")


def _most_failures(limit: str) -> int | None:
    """How many failures a limit such as `>10` allows; None if it is another kind of limit."""
    tree = parse(f"failures {limit}")
    number = value_of(tree.expression.sql()) if tree and tree.expression else None
    if number is None or not str(number).isdigit():
        return None
    kind = type(tree).__name__
    return {"GT": int(str(number)), "GTE": int(str(number)) - 1}.get(
        kind, 0 if (kind, str(number)) == ("NEQ", "0") else None
    )


@rule("PM336")
def values_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The allowed values of a column changed.

    A value that readers have never seen falls through their case distinctions. One value fewer breaks nobody.
    """
    for old, new in _of_kind(before, after, "accepted_values"):
        had, have = ({str(value) for value in one.arguments.get("values") or []} for one in (old, new))
        added, removed = sorted(have - had), sorted(had - have)
        if added:
            yield _difference(old, after, LOOSER, f"it now also allows {', '.join(added)}")
        if removed:
            yield _difference(old, after, TIGHTER, f"it no longer allows {', '.join(removed)}")


@rule("PM337")
def range_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The range of a column changed.

    A wider range lets values through that could not come before. Bounds that are SQL are not compared.
    """
    for old, new in _of_kind(before, after, "accepted_range"):
        one, other = old.arguments, new.arguments
        least = of_least(one.get("min_value"), other.get("min_value"))
        most = of_most(one.get("max_value"), other.get("max_value"))
        if move := worst([least, most]):
            yield _difference(old, after, move, f"it allows {_range(other)}, before {_range(one)}")


def _range(arguments: Mapping[str, Any]) -> str:
    bounds = {"at least": arguments.get("min_value"), "at most": arguments.get("max_value")}
    return " and ".join(f"{words} {value}" for words, value in bounds.items() if value is not None) or "any value"


@rule("PM338")
def pattern_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The pattern of a column changed.

    Which texts two regular expressions allow cannot be compared.
    """
    for old, new in _of_kind(before, after, "matches_pattern"):
        if old.arguments.get("pattern") != new.arguments.get("pattern"):
            text = f"its pattern is {new.arguments.get('pattern')}, before {old.arguments.get('pattern')}"
            yield _difference(old, after, UNKNOWN, text)


@rule("PM339")
def expression_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The condition on each row changed.

    With another part joined by `and` it is tighter, with one part fewer it is looser. Other changes are not compared;
    spaces, case and the order of the parts do not count.
    """
    for old, new in _of_kind(before, after, "expression_is_true"):
        one, other = (str(check.arguments.get("expression") or "") for check in (old, new))
        if move := of_condition(one, other):
            yield _difference(old, after, move, f"it demands {other}, before {one}")


@rule("PM340")
def amount_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A check demands another share, number of rows or age.

    Less of it promises less to readers.
    """
    for old, new in pairs(before, after):
        # The default of rejected_rows; no other argument of these checks has one.
        one, other = (
            {"at_most": 0, **check.arguments} if check.kind == "rejected_rows" else check.arguments
            for check in (old, new)
        )
        moves = {
            "not_null_share": lambda a, b: [of_least(a.get("at_least"), b.get("at_least"))],
            "rejected_rows": lambda a, b: [of_most(a["at_most"], b["at_most"])],
            "row_count_between": lambda a, b: [
                of_least(a.get("min_rows"), b.get("min_rows")),
                of_most(a.get("max_rows"), b.get("max_rows")),
            ],
            "fresh_within": lambda a, b: [of_most(*(seconds(one.get("count"), one.get("period")) for one in (a, b)))],
        }.get(old.kind)
        if moves and (move := worst(moves(one, other))):
            yield _difference(old, after, move, f"it demands {_words(other)}, before {_words(one)}")


def _words(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in arguments.items() if name != "of")


@rule("PM341")
def relationship_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A column refers to something else.

    Readers join with the table that the check names.
    """
    for old, new in _of_kind(before, after, "relationships"):
        one, other = (f"{check.arguments.get('to')}, {check.arguments.get('field')}" for check in (old, new))
        if one != other:
            yield _difference(old, after, LOOSER, f"it refers to {other}, before to {one}")


@rule("PM342")
def argument_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """Another argument of a check changed, how it counts, or a macro of the domain that it calls.

    Nobody can say what that means for its rows.
    """
    for old, new in pairs(before, after):
        one, other = _other_arguments(old), _other_arguments(new)
        changed = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
        if changed:
            text = "; ".join(f"its {name} is {other.get(name)}, before {one.get(name)}" for name in changed)
            yield _difference(old, after, UNKNOWN, text)
        elif old.macros != new.macros:
            yield _difference(old, after, UNKNOWN, "a macro that it calls changed")


def _other_arguments(check: CheckTerms) -> dict[str, Any]:
    compared = COMPARED.get(check.kind, set())
    rest = {name: value for name, value in check.arguments.items() if name not in compared}
    if check.kind == "accepted_values":
        # Without quotes, its values are SQL.
        rest = {"quote": True} | rest
    return rest | {"fail_calc": check.fail_calc, "limit": check.limit}


@rule("PM343")
def check_described(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A check has another description or dimension.

    It finds the same rows.
    """
    for old, new in pairs(before, after):
        if (old.description, old.dimension) != (new.description, new.dimension):
            text = "its description or dimension changed"
            yield Difference("patch", text, new.label, (new.column,) if new.column in after.columns else ())


def _of_kind(before: PortTerms, after: PortTerms, kind: str) -> list[tuple[CheckTerms, CheckTerms]]:
    return [(old, new) for old, new in pairs(before, after) if old.kind == kind]
