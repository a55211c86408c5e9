"""Makes a new source of a domain, or a table of a source: the YAML that says where its rows come from and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from portmesh.errors import UsageError, not_allowed
from portmesh.scaffold.names import NAME
from portmesh.scaffold.register import domain_folders
from portmesh.scaffold.rendering import render
from portmesh.scaffold.sniffing import Column
from portmesh.scaffold.writing import write_all
from portmesh.scaffold.yaml_files import mappings, read_mapping
from portmesh.scaffold.yaml_lists import with_item

LANDED = "landed"
"""The schema that files land in."""


@dataclass(frozen=True)
class Every:
    """How often rows come, as the two limits of dbt's freshness."""

    warn_after: str
    error_after: str


def _limits(warn: int, error: int, period: str) -> Every:
    return Every(f"{{count: {warn}, period: {period}}}", f"{{count: {error}, period: {period}}}")


EVERY = {
    "hour": _limits(3, 12, "hour"),
    "day": _limits(2, 4, "day"),
    "week": _limits(8, 15, "day"),
    "month": _limits(33, 64, "day"),
    "quarter": _limits(95, 190, "day"),
    "year": _limits(370, 740, "day"),
}
"""One delivery may be late; the second that is missing is an error."""


@dataclass(frozen=True)
class NewTable:
    """A table of a source. `landing` has the keys of its contract; empty if its rows do not come in files."""

    name: str
    description: str
    columns: Sequence[Column] = ()
    landing: Mapping[str, Any] = field(default_factory=dict)
    feed: str = ""
    says_where: bool = False
    """Whether it has an external_location of its own."""


@dataclass(frozen=True)
class NewSource:
    """What a person says about a source. If the domain has it already, only `name` and `tables` count."""

    domain: str
    name: str
    tables: Sequence[NewTable]
    description: str = ""
    schema: str = LANDED
    loaded_at: str = "_landed_at"
    every: str = "day"


@dataclass(frozen=True)
class Found:
    """A source that a domain has: its file, its place in the file's list, and its YAML."""

    file: Path
    place: int
    yaml: Mapping[str, Any]

    @property
    def landing(self) -> Mapping[str, Any]:
        return _meta(self.yaml).get("landing") or {}

    @property
    def reads_feeds(self) -> bool:
        """Whether DuckDB reads its tables from the feeds that their identifiers name."""
        return "{identifier}" in str(_meta(self.yaml).get("external_location"))

    @property
    def tables(self) -> list[str]:
        return [str(table.get("name")) for table in mappings(self.yaml.get("tables"))]


def split_label(root: Path, label: str) -> tuple[str, str]:
    """The domain and the source of `finance.ledger`.

    Raises UsageError if it is not so written, if there is no such domain, or if no source can have this name.
    """
    domain, dot, source = label.partition(".")
    domains = domain_folders(root)
    if not dot or not NAME.fullmatch(source):
        facts = [("got", label), ("allowed", "DOMAIN.SOURCE, such as finance.ledger")]
        raise UsageError("This is no name of a source.", facts, "name the domain and its source")
    if domain not in domains:
        raise not_allowed("domain", domain, domains)
    return domain, source


def find_source(root: Path, domain: str, name: str) -> Found | None:
    """The domain's source of this name.

    Raises FindingsError if a YAML file of the domain's models that may have it cannot be read.
    """
    return next((found for found in _sources(root, domain) if found.yaml.get("name") == name), None)


def _sources(root: Path, domain: str) -> Iterator[Found]:
    for path in sorted((root / "domains" / domain / "models").rglob("*.y*ml")):
        if "sources:" in path.read_text(encoding="utf-8", errors="replace"):
            for place, source in enumerate(mappings(read_mapping(root, path).get("sources"))):
                yield Found(path, place, source)


def assert_schema(root: Path, schema: str) -> None:
    """Raise UsageError if no source can be in this schema."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", schema):
        raise UsageError("--schema is no name of a schema.", [("got", schema)], "write it in lower case: erp_raw")
    domain = schema.removesuffix("__internal")
    if domain in domain_folders(root):
        facts = [("got", schema), ("why", f"it belongs to the domain {domain}")]
        raise UsageError(
            "A source is outside the mesh.", facts, f"read a port of {domain}: {{{{ ref('{domain}', 'PORT') }}}}"
        )


def assert_every(every: str) -> None:
    """Raise UsageError if rows cannot come so often."""
    if every not in EVERY:
        raise not_allowed("schedule", every, EVERY)


def make_source(root: Path, new: NewSource) -> str:
    """Write the source, or add its tables to the source that the domain has. Returns the path of the file.

    Raises UsageError if the source has such a table already or cannot have it, and FindingsError if the domain's YAML
    cannot be read or added to. Nothing is written then.
    """
    found = find_source(root, new.domain, new.name)
    tables = _with_feeds(root, new)
    path = found.file if found else root / "domains" / new.domain / f"models/staging/_{new.domain}__sources.yml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if found:
        _assert_fits(found, new, str(path.relative_to(root)))
        for table in tables:
            own = {key: value for key, value in table.landing.items() if found.landing.get(key) != value}
            own |= {key: DEFAULTS[key] for key in found.landing if key not in table.landing and key in DEFAULTS}
            says_where = bool(table.landing) and not found.reads_feeds
            item = render("source/table.yml.jinja", table=replace(table, landing=own, says_where=says_where))
            text = with_item(root, path, text, ("sources", found.place, "tables"), item)
    else:
        text = with_item(root, path, text, ("sources",), _source_item(new, tables))
    write_all({path: text}, replace=True)
    return str(path.relative_to(root))


DEFAULTS: Mapping[str, Any] = {
    "delimiter": ",", "encoding": "utf-8", "decimal": ".", "thousands": "", "currency": "", "dates": [],
    "timestamps": [], "nulls": [""], "true_values": ["true", "1"], "false_values": ["false", "0"], "header": True,
    "quote": '"', "skip_rows": 0, "new_columns": "refuse",
}  # fmt: skip
"""What holds for a table without the key, so that a table can take back what its source says."""


def _source_item(new: NewSource, tables: Sequence[NewTable]) -> str:
    """The keys that all tables have alike stand at the source."""
    landings = [table.landing for table in tables]
    shared = {
        key: value for key, value in landings[0].items() if all(other.get(key) == value for other in landings[1:])
    }
    own = [replace(t, landing={k: v for k, v in t.landing.items() if k not in shared}) for t in tables]
    texts = [render("source/table.yml.jinja", table=table) for table in own]
    return render("source/source.yml.jinja", source=new, every=EVERY[new.every], landing=shared, tables=texts)


def _assert_fits(found: Found, new: NewSource, file: str) -> None:
    for table in new.tables:
        if table.name in found.tables:
            facts = [("file", file), ("has", ", ".join(found.tables))]
            raise UsageError(
                f"{new.name} has a table {table.name} already.", facts, "give the new one another name: --table NAME"
            )
    schema = str(found.yaml.get("schema") or found.yaml.get("name"))
    if schema != new.schema:
        raise UsageError(
            f"The source {new.name} is in the schema {schema}, not in {new.schema}.",
            [("file", file)],
            f"make a source of its own: portmesh new source {new.domain}.NAME",
        )


def _with_feeds(root: Path, new: NewSource) -> list[NewTable]:
    """The tables, those that land each with a feed that no other table of the mesh lands in."""
    names = [table.name for table in new.tables]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError("Two tables would have one name.", [("got", twice)], "name them in order: --table A --table B")
    used = feeds(root)
    result = []
    for table in new.tables:
        feed = f"{new.name}__{table.name}"
        if feed in used:
            feed = f"{new.domain}__{feed}"
        result.append(replace(table, feed=feed) if table.landing else table)
    return result


def feeds(root: Path) -> dict[str, str]:
    """The feeds that tables of the mesh land in, each with `domain.source.table`."""
    used = {}
    for domain in domain_folders(root):
        for source in _sources(root, domain):
            if (source.yaml.get("schema") or source.yaml.get("name")) == LANDED:
                for table in mappings(source.yaml.get("tables")):
                    used[str(table.get("identifier") or table.get("name"))] = (
                        f"{domain}.{source.yaml.get('name')}.{table.get('name')}"
                    )
    return used


def _meta(yaml: Mapping[str, Any]) -> Mapping[str, Any]:
    config = yaml.get("config") or {}
    return {**(yaml.get("meta") or {}), **(config.get("meta") or {})}
