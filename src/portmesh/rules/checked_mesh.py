"""The mesh as the rules look at it: dbt's manifest with compiled SQL, whose tables are whose, and the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from portmesh.rules.kept_reads import KeptReads
from portmesh.rules.reading_sql import Name, read_relation

ROOT = RECORDS = "portmesh"
"""The root's package, whose macros domains call by this name, and the schema of the records."""
INTERNAL = "__internal"
Node = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class CheckedMesh:
    """dbt's manifest (schema v12), the folder of the repository, and the day of the check (UTC).

    `failed` has, by id, why a node has no compiled SQL. `reads` reads all SQL. `third_party` are packages with models
    that are no domains.
    """

    manifest: Mapping[str, Any]
    root: Path
    today: date
    failed: Mapping[str, str] = field(default_factory=dict)
    reads: KeptReads = field(default_factory=KeptReads)
    third_party: frozenset[str] = frozenset()

    @cached_property
    def project(self) -> str:
        return str(self.manifest["metadata"]["project_name"])

    @cached_property
    def resources(self) -> dict[str, Node]:
        """Everything that dbt knows, by id, without third-party packages."""
        kinds = ("nodes", "sources", "exposures", "unit_tests", "functions", "groups")
        found = {id_: node for kind in kinds for id_, node in (self.manifest.get(kind) or {}).items()}
        return {id_: node for id_, node in found.items() if node["package_name"] not in self.third_party}

    @cached_property
    def domains(self) -> frozenset[str]:
        """Every package with a resource, except the root."""
        return frozenset(node["package_name"] for node in self.resources.values()) - {self.project}

    @cached_property
    def products(self) -> dict[str, Node]:
        """The groups of the domains, by name."""
        groups = (self.manifest.get("groups") or {}).values()
        return {group["name"]: group for group in groups if group["name"] == group["package_name"]}

    def of_domains(self, *kinds: str) -> Iterator[Node]:
        """The resources of these types that belong to a domain, in order of their ids."""
        yield from (node for node in self._of_domains if node["resource_type"] in kinds)

    @cached_property
    def _of_domains(self) -> list[Node]:
        return [node for _, node in sorted(self.resources.items()) if node["package_name"] in self.domains]

    @cached_property
    def ports(self) -> dict[str, Node]:
        """The output ports of all domains, by id."""
        return {node["unique_id"]: node for node in self.of_domains("model") if is_port(node)}

    @cached_property
    def by_name(self) -> dict[str, list[Node]]:
        """The models, seeds and snapshots by name."""
        found: dict[str, list[Node]] = {}
        for node in self.resources.values():
            if node["resource_type"] in ("model", "seed", "snapshot"):
                found.setdefault(node["name"], []).append(node)
        return found

    @cached_property
    def sources_by_name(self) -> dict[tuple[str, str], list[Node]]:
        """The tables of sources, by the name of the source and theirs."""
        found: dict[tuple[str, str], list[Node]] = {}
        for node in self.resources.values():
            if node["resource_type"] == "source":
                found.setdefault((node["source_name"], node["name"]), []).append(node)
        return found

    def dialect_of(self, node: Node) -> str:
        """The SQL of the node's engine. A domain may have another engine than the next one."""
        return str(node.get("adapter_type") or self.manifest["metadata"]["adapter_type"])

    @cached_property
    def owners(self) -> dict[str, str]:
        """The domain that owns each schema; `portmesh` owns the records."""
        found = {RECORDS: RECORDS, RECORDS + INTERNAL: RECORDS}
        for domain in self.domains:
            found |= {domain.lower(): domain, (domain + INTERNAL).lower(): domain}
        for node in self.of_domains("model", "seed", "snapshot"):
            found[str(node.get("schema")).lower()] = node["package_name"]
        return found

    @cached_property
    def _relations(self) -> dict[tuple[str, ...], str]:
        """The id of the node or source behind a table's name, by its last two parts."""
        found: dict[tuple[str, ...], str] = {}
        for node in self.resources.values():
            if node.get("relation_name") and node["resource_type"] in ("model", "seed", "snapshot", "source"):
                name = read_relation(node["relation_name"], self.dialect_of(node))
                if not isinstance(name, str):
                    found.setdefault(name[-2:], node["unique_id"])
        return found

    def node_of(self, name: Name) -> Node | None:
        """The node or source that makes a table."""
        return self.resources.get(self._relations.get(name[-2:], ""))

    def owner_of(self, name: Name) -> str:
        """The domain that owns a table, by its schema or because it is the table of its source; empty if none does."""
        for part in name[:-1]:
            if owner := self.owners.get(part) or self.owners.get(part.partition("__")[2]):
                return owner
        node = self.node_of(name)
        return str(node["package_name"]) if node and len(name) > 1 else ""

    def parents_of(self, node: Node) -> list[Node]:
        """What dbt knows that a node reads, and what the ephemeral models among it read."""
        found, ahead, seen = [], list((node.get("depends_on") or {}).get("nodes") or []), set()
        while ahead:
            id_ = ahead.pop(0)
            read = self.resources.get(id_)
            if read is None or id_ in seen:
                continue
            seen.add(id_)
            found.append(read)
            if is_ephemeral(read):
                ahead += (read.get("depends_on") or {}).get("nodes") or []
        return found

    def may_name(self, node: Node) -> tuple[set[Name], set[str]]:
        """The tables that a node's SQL may name, and the functions and files in the place of tables.

        These are its own table and what it reads through ref() and source().
        """
        dialect = self.dialect_of(node)
        named = (node, *self.parents_of(node))
        read = {read_relation(each["relation_name"], dialect) for each in named if each.get("relation_name")}
        # An ephemeral model has no relation. Where Jinja is rendered without dbt, it is still named.
        of_ephemeral = {
            (str(each.get("schema")).lower(), str(each.get("alias")).lower()) for each in named if is_ephemeral(each)
        }
        return {name for name in read if not isinstance(name, str)} | of_ephemeral, {
            call for call in read if isinstance(call, str)
        }

    def file_of(self, node: Node, path: str = "") -> str:
        """The node's file from the root of the repository, or another file of its package."""
        folder = "" if node["package_name"] == self.project else f"domains/{node['package_name']}/"
        return folder + (path or node["original_file_path"]).removeprefix("./")

    def yaml_of(self, node: Node) -> str:
        """The file with the node's properties; its own file if it has none."""
        return self.file_of(node, str(node.get("patch_path") or node["original_file_path"]).rpartition("://")[2])

    def line_of(self, file: str, *texts: str, after: int = 0) -> int:
        """The line on which the first of these texts stands, from the line `after` on; 0 if none of them does."""
        lines = self._lines(file)
        for text in filter(None, texts):
            for number, line in enumerate(lines[max(after - 1, 0) :], max(after, 1)):
                if text.lower() in line:
                    return number
        return 0

    def line_of_entry(self, node: Node, *texts: str) -> int:
        """The line of a text in the YAML of a node, else that of its entry."""
        file = self.yaml_of(node)
        entry = self.line_of(file, f"name: {node['name']}")
        return self.line_of(file, *texts, after=entry) or entry

    @cached_property
    def _texts(self) -> dict[str, list[str]]:
        return {}

    def _lines(self, file: str) -> list[str]:
        if file not in self._texts:
            path = self.root / file
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
            self._texts[file] = text.lower().splitlines()
        return self._texts[file]


def is_port(node: Node) -> bool:
    return bool(node["resource_type"] == "model" and node["config"].get("materialized") == "output_port")


def is_ephemeral(node: Node) -> bool:
    return bool(node["resource_type"] == "model" and node["config"].get("materialized") == "ephemeral")


def meta_of(node: Node) -> Mapping[str, Any]:
    found = (node.get("config") or {}).get("meta")
    return found if isinstance(found, Mapping) else {}


def label(node: Node) -> str:
    """A name for messages: orders.order_lines, orders.order_lines.v2, or orders.tills.transactions for a source."""
    parts = [node["package_name"], node.get("source_name"), node["name"]]
    version = node.get("version")
    return ".".join(str(part) for part in [*parts, f"v{version}" if version is not None else ""] if part)


def kind(node: Node) -> str:
    """The type of a node in words: model, singular test, unit test."""
    if node["resource_type"] == "test":
        return "check" if node.get("test_metadata") else "singular test"
    return str(node["resource_type"]).replace("_", " ")
