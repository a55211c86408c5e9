"""Which names a domain may have."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from portmesh.errors import FindingsError, UsageError
from portmesh.scaffold.yaml_files import mappings, read_mapping

LONGEST = 40
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

OF_THE_ENGINES = {
    "default": "the database that Glue and Spark have from the start",
    "information_schema": "the engines' own schema",
    "internal": "the end of the names of the mesh's own schemas",
    "landed": "where files land",
    "main": "the database that DuckDB has from the start",
    "pg_catalog": "DuckDB's own schema",
    "prod": "the name of the environment of production",
    "system": "DuckDB's own database",
    "temp": "DuckDB's own database",
}
"""Names that no domain can have, whatever else is in the mesh, and what they are."""

RESERVED_ELSEWHERE = frozenset(
    {
        "alter",
        "cube",
        "current",
        "deallocate",
        "delete",
        "drop",
        "escape",
        "execute",
        "insert",
        "minus",
        "normalize",
        "prepare",
        "recursive",
        "rollup",
        "set",
        "skip",
        "uescape",
        "unnest",
        "update",
        "user",
    }
)
"""Words that Athena or Spark reserves and DuckDB does not.

https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html
"""


def assert_domain_name(root: Path, name: str, where: str = "") -> None:
    """Raise UsageError if a domain cannot have this name. `where` is the folder that has it, if there is one."""
    if problem := _problem(root, name):
        facts = [("where", where)] if where else []
        raise UsageError(
            f"A domain cannot be named {name or 'nothing'}: {problem}.",
            [*facts, ("allowed", f"up to {LONGEST} lower-case letters, digits and single underscores: store_costs")],
            "choose another name" + (f" for {where}" if where else ""),
        )


def _problem(root: Path, name: str) -> str:
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        return "it becomes the name of a schema and of a dbt package"
    if name in OF_THE_ENGINES:
        return f"that is {OF_THE_ENGINES[name]}"
    if name == "dbt" or name.startswith("dbt_"):
        return "that is the name of a dbt package"
    if name in reserved_words():
        return "that is a reserved word of SQL, so every query would have to quote it"
    project = read_mapping(root, root / "dbt_project.yml").get("name")
    if name == project:
        return "that is the name of the mesh itself"
    if name in _foreign_packages(root):
        return "a dbt package of that name is installed"
    if user := schemas_of_sources(root).get(name):
        return f"{user} reads a source from a schema of that name"
    return ""


@cache
def reserved_words() -> frozenset[str]:
    """The words that SQL takes for its own on one of the engines."""
    with duckdb.connect() as database:
        rows = database.execute("select keyword_name, keyword_category from duckdb_keywords()").fetchall()
    return RESERVED_ELSEWHERE | {word for word, kind in rows if kind != "unreserved"}


def _foreign_packages(root: Path) -> set[str]:
    """The dbt packages that the mesh installs and that are no domains, by their name or the end of their address."""
    found: set[str] = set()
    for path in (root / "packages.yml", root / "package-lock.yml"):
        for package in _entries(root, path, "packages"):
            address = str(next((package[key] for key in ("local", "package", "git", "tarball") if key in package), ""))
            if not address.startswith("domains/"):
                end = address.rstrip("/").rpartition("/")[2].removesuffix(".git")
                found |= {str(package.get("name") or ""), end.replace("-", "_")}
    return found


def schemas_of_sources(root: Path) -> dict[str, str]:
    """The schemas that the domains' sources are in, each with the file that names it. Unreadable files are left out."""
    found: dict[str, str] = {}
    for path in sorted(root.glob("domains/*/models/**/*.y*ml")):
        if "sources:" not in path.read_text(encoding="utf-8", errors="replace"):
            continue
        for source in _entries(root, path, "sources"):
            schema = str(source.get("schema") or source.get("name") or "")
            if re.fullmatch(r"\w+", schema):
                found.setdefault(schema, str(path.relative_to(root)))
    return found


def _entries(root: Path, path: Path, key: str) -> list[dict[str, Any]]:
    """The mappings that a file lists under a key; none if the file cannot be read."""
    try:
        return mappings(read_mapping(root, path).get(key)) if path.is_file() else []
    except FindingsError:
        return []
