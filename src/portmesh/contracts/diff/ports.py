"""Rules on a port as a whole: its name, its table, its model version, who may refer to it, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from portmesh.contracts.diff.difference import RULES, Difference, Rule, rule
from portmesh.contracts.diff.terms import PortTerms

NOTICE = 30
"""The days between the announcement of an end and the end, without which readers have to agree."""
REMOVED, ADDED, UNAUDITED = "PM301", "PM302", "PM306"
"""The rules on ports that only one of the two meshes has."""
RULES[REMOVED] = Rule(
    REMOVED,
    "A port was removed",
    "Every model and statement that reads it fails. After its deprecation date nobody counts on it any more.",
)
RULES[ADDED] = Rule(
    ADDED, "A port was added", "Nobody reads it yet. A new model version beside the old one is added in this way, too."
)
RULES[UNAUDITED] = Rule(
    UNAUDITED,
    "A model is no longer a port",
    "Its model is still there, but nothing checks what it writes, and other domains may not read it (PM116).",
)


def removed(port: PortTerms, is_still_a_model: bool) -> Difference:
    """What it means that a port is gone."""
    if is_still_a_model:
        return Difference("major", "its model is no longer an output port", code=UNAUDITED)
    if port.deprecated_on and port.deprecated_on < datetime.now(UTC).date():
        text = f"the port is gone, as announced for {port.deprecated_on}"
        return Difference("patch", text, code=REMOVED, asks_for_version=False)
    until = f", though its deprecation date is {port.deprecated_on}" if port.deprecated_on else ""
    return Difference("major", f"the port is gone{until}", code=REMOVED)


def added(others: list[str]) -> Difference:
    """What it means that a port is new. `others` are the model versions of it that stay."""
    beside = f", beside {' and '.join(others)}" if others else ""
    return Difference("minor", f"the port is new{beside}", code=ADDED, asks_for_version=False)


@rule("PM303")
def port_renamed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A port, or its domain, was renamed.

    Every reference to its old name fails. If you keep the old port beside the new one until a date, nobody has to
    hurry. It is taken for a rename if the new port starts from the old one, or has the same columns.
    """
    if before.model != after.model:
        yield Difference("major", f"it is called {after.label} now, before {before.label}")


@rule("PM304")
def table_renamed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The table of a port has another name.

    Models that refer to the port do not notice. Statements and dashboards that name the table fail.
    """
    if before.relation != after.relation and before.model == after.model:
        yield Difference("major", f"its table is {after.relation} now, before {before.relation}")


@rule("PM305")
def access_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The access of a port changed.

    dbt lets other domains refer to public models only.
    """
    if before.access != after.access:
        level = "minor" if after.access == "public" else "major"
        yield Difference(level, f"its access is {after.access} now, before {before.access}")


@rule("PM307")
def version_gets_a_name(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A model got model versions, or lost them.

    Readers keep their rows, and have to name the version (`v=1`) to stay with it when `latest_version` moves.
    """
    if before.model == after.model and before.model_version != after.model_version:
        was = f"version {before.model_version}" if before.model_version else "without versions"
        now = f"version {after.model_version}" if after.model_version else "without versions"
        yield Difference("patch", f"it is {now} of its model now, before {was}", asks_for_version=False)


@rule("PM308")
def latest_version_moved(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The latest version of a model moved away.

    Readers that name no version read the other one from now on, without having changed a line.
    """
    was_latest = before.latest_version in ("", before.model_version)
    if was_latest and after.latest_version not in ("", after.model_version):
        text = f"who names no version reads version {after.latest_version} from now on"
        yield Difference("major", text, "latest_version", asks_for_version=False)


@rule("PM309")
def deprecation_changed(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """The end of a port was announced, or moved.

    Until that day nothing changes. From the day after, models of other domains that read it are not built (PM119), so
    readers have at least 30 days' notice.
    """
    old, new = before.deprecated_on, after.deprecated_on
    if old == new:
        return
    is_soon = new is not None and new < datetime.now(UTC).date() + timedelta(days=NOTICE)
    if new is None:
        yield Difference("patch", f"it has no end any more; before, it was {old}", "deprecation_date")
    elif old is None:
        yield Difference("major" if is_soon else "minor", f"it ends after {new}", "deprecation_date")
    else:
        text = f"it ends after {new}, before after {old}"
        yield Difference("major" if new < old else "patch", text, "deprecation_date")


@rule("PM310")
def port_described(before: PortTerms, after: PortTerms) -> Iterator[Difference]:
    """A port has another description.

    The rows are the same. If it says another grain, look at the key.
    """
    one, other = (" ".join(terms.port.description.split()) for terms in (before, after))
    if one != other:
        yield Difference("patch", "its description changed")
