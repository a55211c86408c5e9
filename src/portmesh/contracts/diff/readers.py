"""The consumers of a changed port: which of them the change reaches, and which it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portmesh.contracts.diff.compare import PortChange
from portmesh.contracts.diff.difference import Difference
from portmesh.contracts.diff.reach import Changed, Side, Touched

REACHED, ADAPTED, FURTHER, SAFE = "reached", "adapted", "further", "not reached"
NOTICED = ("PM316", "PM354", "PM355")
"""Changes that break nobody, and of which readers should know: a wider type, another classification."""
RENAMED, TABLE, LATEST = "PM303", "PM304", "PM308"
KINDS = ("model", "snapshot", "exposure", "test")
"""What is listed of a consumer, in this order."""


@dataclass(frozen=True)
class ReachedNode:
    """A model, snapshot, test or exposure that reads what changed, and the columns of it that are computed from it.

    With `rows`, all of it may differ.
    """

    name: str
    kind: str
    columns: tuple[str, ...] = ()
    rows: bool = False


@dataclass(frozen=True)
class Reader:
    """A consumer and what a change does to it.

    `state` is reached, adapted (its models change in the same change), further (it reads another port that is reached),
    or not reached. `kind` is domain, exposure or outside. `file` is its own file that can record an agreement.
    """

    name: str
    kind: str
    state: str
    why: str
    nodes: tuple[ReachedNode, ...] = ()
    file: str = ""


def readers_of(change: PortChange, before: Side, after: Side) -> tuple[Reader, ...]:
    """All consumers of a port, and the domains and exposures further down, if the change can break a reader.

    Empty for a change that no reader can notice.
    """
    found = [
        _of_moved(one, change, before, after) if one.code == LATEST else one
        for one in change.differences
        if one.breaks or one.code in NOTICED
    ]
    if not found:
        return ()
    direct = [_reader(name, change, found, before, after) for name in _consumers(change, before, after)]
    return (*direct, *_further(change, found, after, {one.name for one in direct}))


def _consumers(change: PortChange, before: Side, after: Side) -> list[str]:
    """The names on the list, and everybody who reads the port without being on it."""
    ports = [port for port in (change.before, change.after) if port]
    listed = {consumer.name for port in ports for consumer in port.meta.consumers}
    reading = {side.name_of(id_) for side in (before, after) for id_ in side.readers(change.port.id)}
    return sorted((listed | reading) - {change.port.port.product})


def _of_moved(difference: Difference, change: PortChange, before: Side, after: Side) -> Difference:
    """A moved latest version concerns only who names no version."""
    return replace(difference, consumers=(*sorted(_moved(change, before, after)), ""))


def _moved(change: PortChange, before: Side, after: Side) -> dict[str, list[str]]:
    """The nodes that read another version of the model since its latest version moved, by consumer."""
    found: dict[str, list[str]] = {}
    name = change.port.port.name.partition(".v")[0]
    for id_ in before.readers(change.port.id):
        if id_ in after.everything and change.port.id not in after.parents(id_):
            refs = after.everything[id_].get("refs") or []
            if any(ref["name"] == name and ref.get("version") is None for ref in refs):
                found.setdefault(after.name_of(id_), []).append(id_)
    return found


def _reader(name: str, change: PortChange, found: Sequence[Difference], before: Side, after: Side) -> Reader:
    kind, file = _about(name, before, after)
    own = [one for one in found if not one.consumers or name in one.consumers]
    if not own:
        return Reader(name, kind, SAFE, "the change is not about it", file=file)
    if kind == "domain" and all(one.code in (RENAMED, TABLE) for one in own):
        # dbt has resolved its references already: otherwise the mesh could not be compiled.
        return Reader(name, kind, SAFE, "it refers to the port by its new name, or not by the table's", file=file)
    columns = frozenset(column for one in own for column in one.columns)
    is_all = any(not one.columns for one in own)
    words = "the port" if is_all else " and ".join(sorted(columns))
    what = Changed(change.port.id, columns, is_all)
    was, now = _nodes(name, before, what), _nodes(name, after, what) if change.after else ()
    if any(one.code == LATEST for one in own) and not now:
        return Reader(name, kind, REACHED, "it names no version", was, file)
    if now:
        return Reader(name, kind, REACHED, f"it reads {words}", now, file)
    gone = columns & set(change.before.columns if change.before else ()) - set(
        change.after.columns if change.after else ()
    )
    if was and any(after.names(id_, gone) for id_ in _direct(name, before, what)):
        return Reader(name, kind, REACHED, f"it still names {words}", was, file)
    if was:
        return Reader(name, kind, ADAPTED, f"it read {words}; its own files change with it", was, file)
    if kind == "outside":
        return Reader(name, kind, REACHED, "what it reads is not known")
    reads = any(name in map(side.name_of, side.readers(change.port.id)) for side in (before, after))
    return Reader(name, kind, SAFE, f"it does not read {words}" if reads else "nothing of it reads the port", file=file)


def _about(name: str, before: Side, after: Side) -> tuple[str, str]:
    """The kind of a consumer, and its own file."""
    for side in (after, before):
        for group in side.manifest.get("groups", {}).values():
            if group["name"] == name == group["package_name"]:
                return "domain", f"domains/{name}/{group['original_file_path']}"
        for exposure in side.manifest.get("exposures", {}).values():
            if exposure["name"] == name:
                return "exposure", f"domains/{exposure['package_name']}/{exposure['original_file_path']}"
    return "outside", ""


def _nodes(name: str, side: Side, changed: Changed) -> tuple[ReachedNode, ...]:
    """What of a consumer a change reaches. Empty if nothing of it reads what changed from the port itself."""
    return _listed(name, side, side.touched(changed)) if _direct(name, side, changed) else ()


def _direct(name: str, side: Side, changed: Changed) -> list[str]:
    """The ids of what reads what changed from the port itself."""
    nodes = side.touched(changed)
    return [id_ for id_ in nodes if changed.port in side.parents(id_) and side.name_of(id_) == name]


def _listed(name: str, side: Side, nodes: dict[str, Touched]) -> tuple[ReachedNode, ...]:
    own = [
        ReachedNode(side.label(id_), side.everything[id_]["resource_type"], tuple(sorted(one.columns)), one.rows)
        for id_, one in nodes.items()
        if name in (side.everything[id_]["package_name"], side.name_of(id_))
    ]
    return tuple(sorted(own, key=lambda one: (KINDS.index(one.kind) if one.kind in KINDS else 9, one.name)))


def _further(change: PortChange, found: Sequence[Difference], after: Side, known: set[str]) -> list[Reader]:
    """The domains and exposures that read what is computed from what changed, by way of another domain."""
    if not change.after:
        return []
    columns = frozenset(column for one in found for column in one.columns)
    nodes = after.touched(
        Changed(change.after.id, columns, any(not one.columns and not one.consumers for one in found))
    )
    names = {after.name_of(id_) for id_ in nodes} - known - {change.after.port.product}
    readers = []
    for name in sorted(names):
        own = [id_ for id_ in nodes if after.name_of(id_) == name]
        through = {
            after.label(parent)
            for id_ in own
            for parent in after.parents(id_) & set(nodes)
            if after.name_of(parent) != name
        }
        kind, file = _about(name, after, after)
        why = f"through {' and '.join(sorted(through))}"
        readers.append(Reader(name, kind, FURTHER, why, _listed(name, after, nodes), file))
    return readers
