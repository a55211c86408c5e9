"""Rules on meaning: what a column is computed from, and which rows there are. The canonical form decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from portmesh.contracts.diff.difference import RULES, Difference, Rule
from portmesh.contracts.diff.matching import Matched
from portmesh.contracts.diff.reach import Side
from portmesh.contracts.diff.terms import PortTerms
from portmesh.lineage.meaning import Changes
from portmesh.lineage.meaning.changes import rows_change
from portmesh.lineage.sql_of_node import INCREMENT, is_python
from portmesh.lineage.tables import declared, has_contract

VALUE, ROWS, UNKNOWN, SAME = "PM371", "PM372", "PM373", "PM374"
SQL = ("compiled_code", INCREMENT, "raw_code")
NOT_ABOUT_ROWS = (
    "meta",
    "tags",
    "docs",
    "group",
    "access",
    "contract",
    "persist_docs",
    "alias",
    "schema",
)
KEYS = (*SQL, "config", "checksum", "types")
"""What decides the rows of a node: `types` are those to which its contract rounds."""
RULES[VALUE] = Rule(
    VALUE,
    "A column is computed in another way",
    "Its name and type are the same, and its values are not: nothing fails, and figures of readers change.",
)
RULES[ROWS] = Rule(
    ROWS,
    "There are other rows",
    "A filter, a join, a grouping or a limit changed: sums and counts of all readers change.",
)
RULES[UNKNOWN] = Rule(
    UNKNOWN,
    "Nobody can say whether it means the same",
    "The SQL cannot be read, or is no SQL. Everything counts as changed.",
)
RULES[SAME] = Rule(
    SAME,
    "The SQL is written in another way and means the same",
    "Names of CTEs, their order, formatting and the order of conditions do not matter. Of a Python model, comments, "
    "formatting and its docstring do not. Nothing has to be built.",
)


def meaning_of(
    matched: Matched, before: Side, after: Side, found: Changes, failed: Mapping[str, str]
) -> dict[str, list[Difference]]:
    """The differences in meaning, by the id of the port. `before` has the ids of `after`.

    `failed` has dbt's message for each node that does not compile now.

    Of a change in another domain, only the port that it comes from has a difference: `readers` says who is reached.
    """
    result = {}
    ports = {new.id for _, new in matched.pairs}
    for _, new in matched.pairs:
        change = found.nodes.get(new.id)
        if change and _differs(new.id, before.manifest, after.manifest, KEYS):
            result[new.id] = list(_differences(new, found, before, after, failed.get(new.id, "")))
        elif not change and _differs(new.id, before.manifest, after.manifest, SQL, ports):  # the other port says it
            written = "code" if is_python(after.manifest["nodes"][new.id]) else "SQL"
            text = f"its {written} is written in another way and means the same"
            result[new.id] = [Difference("patch", text, code=SAME, asks_for_version=False)]
    return result


def _differences(port: PortTerms, found: Changes, before: Side, after: Side, failed: str) -> Iterator[Difference]:
    change = found.nodes[port.id]
    if change.unknown:
        reason = f"dbt cannot compile it: {' '.join(failed.split())}" if failed else change.unknown
        yield Difference("undetermined", reason, code=UNKNOWN)
        return
    for reason in change.rows:
        yield Difference("major", reason + _origin_of_rows(port.id, reason, found, after), "rows", code=ROWS)
    expressions = [side.lineage.nodes[port.id].column for side in (before, after)]
    for name, reasons in change.columns.items():
        # In other rows every column can have other values: then only another expression says something more.
        one, other = (column(name) for column in expressions)
        is_said = change.rows and (one and one.expression) == (other and other.expression)
        if name in port.columns and not is_said:
            text = "; ".join(reasons) + _origin(port.id, name, found, before, after)
            yield Difference("major", text, name, (name,), code=VALUE)


def _origin(id_: str, name: str, found: Changes, before: Side, after: Side) -> str:
    """Where the change of a column begins, as the end of a sentence; empty if that is in the column itself."""
    if _expression(before, id_, name) != _expression(after, id_, name):
        return ""
    known = after.lineage.nodes[id_].column(name) if id_ in after.lineage.nodes else None
    for each in known.inputs if known else ():
        change = found.nodes.get(each.node)
        if change and change.changes(each.name):
            one, other = (_expression(side, each.node, each.name) for side in (before, after))
            if one != other:
                return f": {after.label(each.node)}.{each.name} is `{other or 'gone'}`, was `{one or 'not there'}`"
            if text := _origin(each.node, each.name, found, before, after):
                return text
    return ""


def _expression(side: Side, id_: str, name: str) -> str:
    node = side.lineage.nodes.get(id_)
    column = node.column(name) if node else None
    return column.expression if column else ""


def _origin_of_rows(id_: str, reason: str, found: Changes, after: Side) -> str:
    """Which filter, join or group changed first, if a reason only says that the rows of a model before it change."""
    for read in after.lineage.nodes[id_].reads if id_ in after.lineage.nodes else ():
        change = found.nodes.get(read)
        if change and change.rows and read in after.everything and reason == rows_change(after.label(read)):
            first = change.rows[0]
            return _origin_of_rows(read, first, found, after) or f": in {after.label(read)}, {first}"
    return ""


def _differs(
    port: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    keys: tuple[str, ...],
    without: AbstractSet[str] = frozenset(),
) -> bool:
    """Whether a port, or a model of its own domain that it is made from, says something else under these keys.

    `without` are nodes whose own text, and what they are made from, is left out.
    """
    ids = {*of_domain(port, before, without), *of_domain(port, after, without)}
    # PM325 speaks about the unique_key of a port.
    return any(_said(id_, before, keys, id_ == port) != _said(id_, after, keys, id_ == port) for id_ in ids)


def of_domain(id_: str, manifest: Mapping[str, Any], without: AbstractSet[str] = frozenset()) -> set[str]:
    """A port and the models, seeds and sources of its own domain that it is made from."""
    found, waiting = {id_}, [id_]
    for one in waiting:
        for parent in (manifest["nodes"].get(one, {}).get("depends_on") or {}).get("nodes", []):
            if parent.split(".")[1] == id_.split(".")[1] and parent not in found and parent not in without:
                found.add(parent)
                waiting.append(parent)
    return found


def _said(id_: str, manifest: Mapping[str, Any], keys: tuple[str, ...], is_port: bool = False) -> object:
    node = manifest["nodes"].get(id_)
    if not node:
        return _source(id_, manifest)
    config = {key: value for key, value in (node.get("config") or {}).items() if key not in NOT_ABOUT_ROWS}
    if is_port:
        config.pop("unique_key", None)
    types = declared(node) if has_contract(node) else {}
    return [{"config": config, "types": types}.get(key, node.get(key)) for key in keys]


def of_changed_domains(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Both manifests with only the domains in which something differs.

    What changes elsewhere only because of them is no difference of the ports there, and need not be compared.
    """
    ids = {*before["nodes"], *after["nodes"]}
    keys = (*KEYS, "relation_name")
    differing = {id_.split(".")[1] for id_ in ids if _said(id_, before, keys) != _said(id_, after, keys)}
    of_sources = {id_ for id_ in after.get("sources", {}) if _source(id_, before) != _source(id_, after)}
    differing |= {id_.split(".")[1] for id_ in of_sources}
    first, second = (
        {id_: node for id_, node in manifest["nodes"].items() if id_.split(".")[1] in differing}
        for manifest in (before, after)
    )
    return {**before, "nodes": first}, {**after, "nodes": second}


def _source(id_: str, manifest: Mapping[str, Any]) -> object:
    """What a source says, without when dbt read it."""
    return {key: value for key, value in manifest.get("sources", {}).get(id_, {}).items() if key != "created_at"}


def with_new_ids(manifest: Mapping[str, Any], ids: Mapping[str, str]) -> Mapping[str, Any]:
    """A manifest in which ports have the ids that they have in the other one, so that their SQL is compared."""
    if not ids:
        return manifest
    changed = {
        kind: {ids.get(id_, id_): _with_new_ids(node, ids) for id_, node in manifest.get(kind, {}).items()}
        for kind in ("nodes", "exposures")
    }
    return {**manifest, **changed}


def _with_new_ids(node: Mapping[str, Any], ids: Mapping[str, str]) -> Mapping[str, Any]:
    depends_on = node.get("depends_on") or {}
    read = [ids.get(one, one) for one in depends_on.get("nodes", [])]
    return {
        **node,
        "unique_id": ids.get(node["unique_id"], node["unique_id"]),
        "depends_on": {**depends_on, "nodes": read},
    }
