"""A small mesh in its own folder, run through dbt itself, on any engine.

It links to the repository's own root configuration, profile and macros, and has the domains, ports and rows
that a test writes.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

from tests.engine import engine_at
from tests.macros_once import without_docs
from tests.python_port import as_python, needs_pyspark

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass
class Outcome:
    """The result of one dbt command: its exit code, node results by name, and output."""

    exit_code: int
    statuses: dict[str, str]
    failures: dict[str, int | None]
    messages: dict[str, str]
    output: str

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


@dataclass
class Mesh:
    """A mesh project in `folder`, on a target's engine. `database` is its file if the engine is DuckDB.

    dbt writes its manifest and results only in tests with the marker `writes_json`, because that takes a third of the
    time of a small build.
    """

    writes_json: ClassVar[bool] = False

    folder: Path
    target: str = "local"
    domains: list[str] = field(default_factory=list)
    language: str = "sql"
    """In which language `port` writes a query: `python` makes a Python model of it."""

    def __post_init__(self) -> None:
        self.engine = engine_at(self.target, self.folder)

    @property
    def database(self) -> Path:
        return self.folder / "mesh.duckdb"

    @property
    def project(self) -> Path:
        """dbt's options for the folders of the project and its profile."""
        return self.folder

    def write(self, path: str, text: str) -> Path:
        """Write a dedented text to a file of the mesh."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text).lstrip("\n"))
        return target

    def remove(self, path: str) -> None:
        (self.folder / path).unlink()

    def set_up(
        self,
        *domains: str,
        environment: str = "prod",
        root: dict[str, Any] | None = None,
        sources: tuple[str, ...] = ("lines",),
    ) -> None:
        """Write the root project with these domains.

        `root` is merged into dbt_project.yml; `sources` are tables of the source `raw`, in the first domain.
        """
        self.domains = list(domains)
        project = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())
        of_all = {key: value for key, value in project["models"].items() if key.startswith("+")}
        of_a_domain = next(value for key, value in project["models"].items() if key not in of_all)
        project["models"] = of_all | {domain: of_a_domain | {"+group": domain} for domain in domains}
        project["on-run-start"] = [h for h in project["on-run-start"] if "lake" not in h]
        project |= root or {}
        self.write("dbt_project.yml", yaml.safe_dump(project, sort_keys=False))
        self.write("packages.yml", yaml.safe_dump({"packages": [{"local": f"domains/{d}"} for d in domains]}))
        self.write("profiles.yml", yaml.safe_dump(self._profile(environment)))
        for domain in domains:
            self._write_domain(domain)
        self.write("domains/" + domains[0] + "/models/staging/_sources.yml", yaml.safe_dump(self._sources(sources)))
        if not (self.folder / "macros").exists():
            (self.folder / "macros").symlink_to(without_docs(REPOSITORY / "macros").name)

    def _profile(self, environment: str) -> dict[str, Any]:
        profile = yaml.safe_load((REPOSITORY / "profiles" / "profiles.yml").read_text())["portmesh"]
        output = profile["outputs"][self.target] | {"schema": environment} | self.engine.output()
        return {"portmesh": {"target": self.target, "outputs": {self.target: output}}}

    def _sources(self, tables: tuple[str, ...]) -> dict[str, Any]:
        return {"sources": [{"name": "raw", "schema": "raw", "tables": [{"name": table} for table in tables]}]}

    def _write_domain(self, domain: str) -> None:
        self.write(
            f"domains/{domain}/dbt_project.yml",
            yaml.safe_dump({"name": domain, "version": "0.1.0", "config-version": 2, "restrict-access": True}),
        )
        owner = {"name": f"Team {domain}", "email": f"{domain}@example.com"}
        engine = "emr" if self.target == "local" else self.target
        about = {"kind": "source-aligned", "stage": "active", "engine": engine}
        group = {
            "name": domain,
            "description": f"The product {domain}.",
            "owner": owner,
            "config": {"meta": about | {"channel": f"#{domain}", "purpose": "A test."}},
        }
        self.write(f"domains/{domain}/models/{domain}.yml", yaml.safe_dump({"groups": [group]}, sort_keys=False))

    def port(self, path: str, sql: str, columns: str = "", extra: str = "", meta: str = "") -> None:
        """Write a port: `path` is `<domain>/<port>`, and `sql` may also be the code of a Python model.

        `columns` is the YAML list under `columns:`, `extra` has more YAML keys of the model
        (at its own level), and `meta` more keys of `config.meta`. They may be indented freely.
        """
        if self.language == "python":
            needs_pyspark(self.target)
            sql = as_python(sql)
        domain, name = path.split("/")
        folder = f"domains/{domain}/models/output_ports"
        self.write(f"{folder}/{name}.{'py' if 'def model(' in sql else 'sql'}", sql)
        lines = [
            "models:",
            f"  - name: {name}",
            f"    description: One row per line of {name}.",
            *_indent(extra, 4),
            "    config:",
            "      meta:",
            "        version: 1.0.0",
            "        classification: internal",
            "        freshness: {column: landed_at, warn_after: {count: 24, period: hour}}",
            *_indent(meta, 8),
            "    columns:",
            *_indent(columns, 6),
        ]
        (self.folder / folder / f"{name}.yml").write_text("\n".join(lines) + "\n")

    def dbt(self, *arguments: str) -> Outcome:
        """Run a dbt command in the mesh (in this process)."""
        lines: list[str] = []

        def listen(event: EventMsg) -> None:
            if event.info.level in ("info", "warn", "error"):
                lines.append(event.info.msg)

        place = ["--project-dir", str(self.project), "--profiles-dir", str(self.project), "--no-use-colors"]
        files = ["--write-json" if self.writes_json else "--no-write-json"]
        result = dbtRunner(callbacks=[listen]).invoke([*files, *arguments, *place])
        self.engine.close()
        exit_code = 0 if result.success else 2 if result.exception else 1
        if result.exception:
            lines.append(str(result.exception))
        return _outcome(exit_code, getattr(result.result, "results", None) or [], lines)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement in DuckDB's SQL, as a consumer reads them."""
        return self.engine.rows(sql)

    def execute(self, sql: str) -> None:
        """Run a statement in DuckDB's SQL that returns no rows."""
        self.engine.execute(sql)

    def land(self, table: str, select: str) -> None:
        """Fill the source table `raw.<table>` with the result of a DuckDB query."""
        self.engine.make_table(f"raw.{table}", select)

    def change_source(self, table: str, statement: str) -> None:
        """Run a DuckDB insert, update or delete on the source table `raw.<table>`."""
        self.engine.change_table(f"raw.{table}", statement)

    def has(self, relation: str) -> bool:
        """Whether a table or view `<schema>.<name>` exists."""
        schema, name = relation.split(".")
        return name in self.engine.relations(schema)

    def value(self, sql: str) -> Any:
        """The single value of a statement."""
        ((value,),) = self.rows(sql)
        return value


def _indent(text: str, width: int) -> list[str]:
    return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * width).splitlines()


def _outcome(exit_code: int, results: list[Any], lines: list[str]) -> Outcome:
    nodes = [r for r in results if hasattr(r, "node") and r.node.resource_type != "operation"]
    return Outcome(
        exit_code=exit_code,
        statuses={r.node.name: str(r.status) for r in nodes},
        failures={r.node.name: r.failures for r in nodes},
        messages={r.node.name: r.message or "" for r in nodes},
        output="\n".join(lines),
    )
