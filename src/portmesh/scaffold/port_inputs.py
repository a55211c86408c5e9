"""What a new port is made from: a table of a source, or a port; and the keys of other ports that it may refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from portmesh import database
from portmesh.dbt import Readable, parse_readable
from portmesh.errors import FindingsError, UsageError, not_allowed
from portmesh.lake.contract import REJECTED
from portmesh.mesh import Mesh, Port, read_mesh
from portmesh.scaffold.files import is_file
from portmesh.scaffold.profile import ROWS, read_rows
from portmesh.scaffold.profile_references import Target, may_refer
from portmesh.scaffold.proposals import SetAside

UNIQUE = ("unique", "unique_combination")


@dataclass(frozen=True)
class Input:
    """What is read: its name for people, in DuckDB and in Glue, and what its YAML says of columns and arrival.

    `source` and `table` are empty if it is a port; then `reference` is how a model names it. `rejected` is what DuckDB
    reads its rejected rows from, if it sets them aside.
    """

    label: str
    relation: str
    in_glue: tuple[str, str]
    source: str = ""
    table: str = ""
    reference: str = ""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    freshness: Mapping[str, Any] = field(default_factory=dict)
    arrival: str = ""
    rejected: str = ""

    @property
    def in_model(self) -> str:
        """How a model or a check names the source's table."""
        return f"source('{self.source}', '{self.table}')"


@dataclass
class Targets:
    """Keys of built ports, and the labels of ports that are not compared: not to be read, or not built."""

    found: list[Target] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    unbuilt: list[str] = field(default_factory=list)


class Inputs:
    """The mesh as a new port of `domain` sees it on a target, by default the profile's."""

    def __init__(self, root: Path, domain: str, target: str = "") -> None:
        self.root = root
        self.domain = domain
        self.readable: Readable = parse_readable(*(["--target", target] if target else []))
        self.is_in_glue = not self.readable.database
        self.mesh: Mesh = read_mesh(self.readable.manifest, self.readable.checks)
        if domain not in self.mesh.product_names:
            raise not_allowed("domain", domain, sorted(self.mesh.product_names))

    def assert_new(self, port: str) -> None:
        """Raises UsageError if the domain already has a model of this name."""
        for node in self.readable.manifest["nodes"].values():
            if node["resource_type"] == "model" and (node["package_name"], node["name"]) == (self.domain, port):
                where = f"domains/{self.domain}/{node['original_file_path']}"
                raise UsageError(f"{self.domain} already has {port}.", [("where", where)], "choose another name")

    def find(self, name: str) -> Input:
        """What `--from` names. Raises UsageError if there is no such thing, or if the domain may not read it."""
        if not name:
            raise not_allowed("table to read", "", self._choices())
        if is_file(name):
            return self._of_file(name)
        tables = {f"{each['source_name']}.{each['name']}": id_ for id_, each in self._sources()}
        if name in tables:
            return self._of_source(tables[name])
        ports = {port.label: port for port in self.mesh.ports.values()}
        if name in ports:
            return self._of_port(ports[name])
        of_others = {source.label: source for source in self.mesh.sources.values()}
        if name in of_others:
            other = of_others[name].product
            raise UsageError(
                f"{name} is a source of {other}, and a domain reads others only through their ports.",
                [
                    ("got", name),
                    ("ports of " + other, ", ".join(p for p in ports if p.startswith(f"{other}.")) or "none"),
                ],
                f"read a port of {other}, or declare a source of your own: portmesh new source {self.domain}.NAME",
            )
        if "." in name and not self._choices():
            raise self._no_source(name)
        raise not_allowed("table to read", name, self._choices())

    def _choices(self) -> list[str]:
        own = sorted(f"{each['source_name']}.{each['name']}" for _, each in self._sources())
        return [*own, *sorted(port.label for port in self.mesh.ports.values() if self._may_read(port))]

    def _sources(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for id_, each in self.readable.manifest["sources"].items():
            if each["package_name"] == self.domain:
                yield id_, each

    def _of_source(self, id_: str) -> Input:
        source = self.readable.manifest["sources"][id_]
        label = f"{source['source_name']}.{source['name']}"
        for node in self.readable.manifest["nodes"].values():
            if node["resource_type"] == "model" and id_ in node["depends_on"]["nodes"]:
                where = f"domains/{node['package_name']}/{node['original_file_path']}"
                raise UsageError(
                    f"{label} already has a staging model: {node['name']}.",
                    [("where", where)],
                    "write the port's SQL on that model, or read a port that is built on it",
                )
        return Input(
            label=label,
            relation=self.readable.sources[id_],
            in_glue=(source["schema"], source["identifier"]),
            source=source["source_name"],
            table=source["name"],
            descriptions={name: column.get("description") or "" for name, column in source["columns"].items()},
            freshness=source.get("freshness") or {},
            arrival=source.get("loaded_at_field") or "",
            rejected=f"landed('{source['identifier']}{REJECTED}')" if self._sets_aside(id_) else "",
        )

    def _sets_aside(self, id_: str) -> bool:
        return not self.is_in_glue and self.mesh.sources[id_].landing.get("bad_rows") == "set_aside"

    def _of_port(self, port: Port) -> Input:
        if not self._may_read(port):
            raise UsageError(
                f"{self.domain} is not among the consumers of {port.label}, so it may not read it.",
                [("where", port.path), ("write", f"- {{name: {self.domain}, purpose: …}}")],
                f"ask the owner of {port.product} to add {self.domain} to consumers, then the same command",
            )
        node = self.readable.manifest["nodes"][port.id]
        meta = port.meta.freshness
        limits = {
            name: {"count": each.count, "period": each.period}
            for name in ("warn_after", "error_after")
            if meta and (each := getattr(meta, name))
        }
        return Input(
            label=port.label,
            relation=node["relation_name"],
            in_glue=(node["schema"], node["alias"]),
            reference=self._reference(port),
            descriptions={name: column.get("description") or "" for name, column in node["columns"].items()},
            freshness=limits,
            arrival=meta.column if meta else "",
        )

    def _may_read(self, port: Port) -> bool:
        return port.product == self.domain or bool(port.meta.of(self.domain))

    def _reference(self, port: Port) -> str:
        name, _, version = port.name.partition(".v")
        parts = [f"'{name}'"] if port.product == self.domain else [f"'{port.product}'", f"'{name}'"]
        return f"ref({', '.join([*parts, *([f'v={version}'] if version else [])])})"

    def _of_file(self, name: str) -> Input:
        wanted = Path(name).expanduser()
        for id_, source in self._sources():
            location = str((source["config"].get("meta") or {}).get("external_location") or "")
            for text in re.findall(r"'([^']+)'", location) or [location]:
                if text and (self.root / text).resolve() in (wanted.resolve(), (self.root / wanted).resolve()):
                    return self._of_source(id_)
        if not wanted.exists():
            raise UsageError(f"There is no file {name}.", [("looked in", str(Path.cwd()))], "check its name")
        raise self._no_source(name)

    def _no_source(self, name: str) -> UsageError:
        table = re.sub(r"\W+", "_", Path(name.rpartition(".")[2] if not is_file(name) else name).stem.lower())
        return UsageError(
            f"{name} is not a table of a source of {self.domain}, so dbt cannot read it.",
            [
                (
                    "sources of " + self.domain,
                    ", ".join(sorted(f"{s['source_name']}.{s['name']}" for _, s in self._sources())) or "none",
                )
            ],
            f"portmesh new source {self.domain}.SOURCE, then: portmesh new port … --from SOURCE.{table}",
        )

    def read(self, connection: duckdb.DuckDBPyConnection, origin: Input) -> None:
        """Copy the rows into the scratch database of `connection`. Raises FindingsError if they cannot be read."""
        try:
            if self.is_in_glue:
                self._read_glue(connection, origin)
            else:
                self._connect(connection)
                read_rows(connection, origin.relation)
        except duckdb.Error as error:
            raise read_failed(error, origin.label, origin.relation) from error

    def set_aside(self, connection: duckdb.DuckDBPyConnection, origin: Input) -> list[SetAside]:
        """For each batch of the rows that were read, how many were set aside; none if the source does not do so."""
        if not origin.rejected:
            return []
        bad = f"select _batch_id, count(*) as bad from {origin.rejected} group by all"
        if not _exists(connection, origin.rejected):
            bad = "select null as _batch_id, 0 as bad where false"
        good = f"select _batch_id, count(*) as good from {ROWS} group by all"
        sql = f"select coalesce(bad, 0), good + coalesce(bad, 0) from ({good}) left join ({bad}) using (_batch_id)"
        return [SetAside(*row) for row in connection.execute(sql).fetchall()]

    def _read_glue(self, connection: duckdb.DuckDBPyConnection, origin: Input) -> None:
        # Imported here because the AWS packages take a second to load.
        from portmesh.lake.glue import read_table
        from portmesh.lake.targets import aws_region

        with read_table(aws_region(), *origin.in_glue) as rows:
            connection.register("rows_in_glue", rows)
            read_rows(connection, "rows_in_glue")
            connection.unregister("rows_in_glue")

    def _connect(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make everything that the mesh's relations name visible to a connection."""
        if self.readable.prelude:
            connection.execute(self.readable.prelude)
        file = self.root / self.readable.database
        if file.is_file():
            try:
                connection.execute(f"attach '{file}' as \"{self.readable.alias}\" (read_only)")
            except duckdb.Error as error:
                raise database.meaning_of(str(error)) or error from error

    def targets(self, connection: duckdb.DuckDBPyConnection, port: str, columns: Sequence[str]) -> Targets:
        """The keys that a port of the domain with these columns may be checked against, and the ports that it cannot.

        An unbuilt port counts only if a column is named like its key.
        """
        targets = Targets()
        for id_, other in self.mesh.ports.items():
            keys = [] if other.label == f"{self.domain}.{port}" else list(self._keys(id_, other))
            if not keys:
                continue
            is_built = _exists(connection, keys[0].relation)
            if is_built and not self._may_read(other):
                targets.foreign.append(other.label)
            elif is_built:
                targets.found += keys
            elif (
                not self.is_in_glue
                and self._may_read(other)
                and any(may_refer(name, columns, key) for key in keys for name in columns)
            ):
                targets.unbuilt.append(other.label)
        return targets

    def _keys(self, id_: str, port: Port) -> Iterator[Target]:
        node = self.readable.manifest["nodes"][id_]
        for check in self.mesh.checks.get(id_, ()):
            columns = [check.column] if check.column else list(check.arguments.get("columns", []))
            is_key = check.kind in UNIQUE and check.allows_no_failure and columns
            if is_key and all(name in node["columns"] for name in columns):
                yield Target(
                    table=port.name.partition(".")[0],
                    label=port.label,
                    reference=self._reference(port),
                    relation=node["relation_name"],
                    columns=tuple(columns),
                    all_columns=tuple(node["columns"]),
                )


def _exists(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    try:
        connection.execute(f"select * from {relation} limit 0")
    except duckdb.Error:
        return False
    return True


def read_failed(error: duckdb.Error, label: str, relation: str) -> FindingsError:
    """A plain error for rows that cannot be read."""
    first = str(error).strip().splitlines()[0]
    return FindingsError(
        f"The rows of {label} cannot be read.",
        [("reads", relation), ("said", first)],
        "land its data or build it first, then the same command",
    )


def names_of(pairs: Sequence[str], option: str) -> dict[str, str]:
    """`NAME=TEXT` options as a dictionary. Raises UsageError for an entry without `=`."""
    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} {pair} has no name.", [("allowed", f"{option} NAME=TEXT")], "write NAME=TEXT")
        found[name.strip()] = text.strip()
    return found
