"""What a YAML port can read: the models of the repository's domains, with their columns and keys.

Reads the files of the domains, not dbt's manifest: a port whose SQL is not yet written is not in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlglot
import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, TemplateError, Undefined
from sqlglot import exp
from sqlglot.errors import SqlglotError

from portmesh.errors import FindingsError
from portmesh.scaffold.yaml_port_types import contract_type

Key = frozenset[str]
UNKNOWN = "unknown_to_us"


@dataclass(frozen=True)
class KnownModel:
    """A model as its files describe it.

    `types` has its columns, with an empty type where none is stated. If `is_complete`, it has no others. `keys` are the
    sets of columns that a unique check of the model covers.
    """

    domain: str
    name: str
    entry: Mapping[str, Any]
    yaml_file: Path
    sql_file: Path | None
    is_port: bool
    types: Mapping[str, str] = field(default_factory=dict)
    is_complete: bool = False
    keys: tuple[Key, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.domain}.{self.name}"

    @property
    def meta(self) -> Mapping[str, Any]:
        config = self.entry.get("config")
        meta = config.get("meta") if isinstance(config, Mapping) else None
        return meta if isinstance(meta, Mapping) else {}

    @property
    def columns(self) -> list[Mapping[str, Any]]:
        return [each for each in self.entry.get("columns") or [] if isinstance(each, Mapping) and "name" in each]


class KnownModels:
    """All models of the domains, found in their folders."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def by_label(self) -> dict[str, KnownModel]:
        """The models by `domain.name`."""
        found: dict[str, KnownModel] = {}
        for folder in sorted(self.root.glob("domains/*/models")):
            found |= {model.label: model for model in _models_of(folder.parent.name, folder)}
        return found

    @property
    def domains(self) -> set[str]:
        return {model.domain for model in self.by_label.values()}


def _models_of(domain: str, folder: Path) -> Iterator[KnownModel]:
    sql_files = {file.stem: file for file in folder.rglob("*.sql")}
    described: set[str] = set()
    for file in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        for entry in _entries(file):
            described.add(entry["name"])
            yield _model(domain, entry, file, sql_files.get(entry["name"]))
    for name in sorted(set(sql_files) - described):
        yield _model(domain, {"name": name}, sql_files[name], sql_files[name])


def _entries(file: Path) -> Iterator[Mapping[str, Any]]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        at = getattr(error, "problem_mark", None)
        where = f"{file}:{at.line + 1}" if at else str(file)
        said = getattr(error, "problem", None) or str(error)
        raise FindingsError("This file is not YAML.", [("file", where), ("said", said)], "fix the file") from error
    models = content.get("models") if isinstance(content, Mapping) else None
    for entry in models if isinstance(models, list) else []:
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            yield entry


def _model(domain: str, entry: Mapping[str, Any], yaml_file: Path, sql_file: Path | None) -> KnownModel:
    is_port = yaml_file.parent.name == "output_ports"
    plain = KnownModel(domain, entry["name"], entry, yaml_file, sql_file, is_port)
    stated = {str(c["name"]): contract_type(c.get("data_type", "")) for c in plain.columns}
    read = None if is_port or sql_file is None else columns_of_sql(sql_file.read_text(encoding="utf-8"))
    found = (read or {}) | {name: kind for name, kind in stated.items() if kind or name not in (read or {})}
    return KnownModel(
        domain, entry["name"], entry, yaml_file, sql_file, is_port,
        types=found, is_complete=is_port or read is not None, keys=tuple(_keys(plain)),
    )  # fmt: skip


def _keys(model: KnownModel) -> Iterator[Key]:
    """The keys that unique checks cover on all rows."""
    for column in model.columns:
        yield from (frozenset({str(column["name"])}) for kind, _ in checks_in(column) if kind == "unique")
    for kind, arguments in checks_in(model.entry):
        columns = arguments.get("columns")
        if kind == "unique_combination" and isinstance(columns, list):
            yield frozenset(map(str, columns))
        if kind == "unique" and isinstance(arguments.get("column_name"), str):
            yield frozenset({arguments["column_name"]})


def checks_in(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The checks of a model or column that hold for all rows and refuse: their kinds and arguments."""
    for key in ("data_tests", "tests"):
        listed = entry.get(key)
        for check in listed if isinstance(listed, list) else []:
            if isinstance(check, str):
                yield check, {}
            elif isinstance(check, Mapping) and check:
                kind, found = next(iter(check.items()))
                options = found if isinstance(found, Mapping) else {}
                config, arguments = (options.get(key) for key in ("config", "arguments"))
                config = config if isinstance(config, Mapping) else {}
                arguments = arguments if isinstance(arguments, Mapping) else options
                if not {"where", "severity", "warn_if", "error_if", "enabled"} & {*config, *options}:
                    yield str(kind), arguments


def texts_in(value: object) -> Iterator[str]:
    """All texts in a part of a YAML file."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, Iterable):
        for each in value:
            yield from texts_in(each)


class _Anything(Undefined):
    """A name that is only known in dbt: whatever is done with it, it is a word of SQL."""

    def __call__(self, *_: object, **__: object) -> _Anything:  # type: ignore[override]
        return self

    def __getattr__(self, name: str) -> _Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _: object) -> _Anything:  # type: ignore[override]
        return self

    def __str__(self) -> str:
        return UNKNOWN

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[object]:
        raise TypeError("it is not known how often this is repeated")


class _TypesOfDbt:
    """Stands in for dbt's macros that write a type."""

    def __getattr__(self, name: str) -> object:
        written = {"type_string": "varchar", "type_timestamp": "timestamp", "type_int": "int", "type_bigint": "bigint"}
        return (lambda *_, **__: written[name]) if name in written else _Anything()


def columns_of_sql(text: str) -> dict[str, str] | None:
    """The columns of a model's SQL and, where the SQL casts them, their types. None if the SQL does not say."""
    try:
        rendered = Environment(undefined=_Anything, autoescape=False).from_string(text).render(dbt=_TypesOfDbt())
        query = sqlglot.parse_one(rendered, dialect="duckdb")
    except (TemplateError, SqlglotError, TypeError, ValueError):
        return None
    return _columns_of_query(query, {}) if isinstance(query, exp.Query) else None


def _columns_of_query(query: exp.Query, above: Mapping[str, exp.Query]) -> dict[str, str] | None:
    known = dict(above) | {cte.alias: cte.this for cte in query.ctes}
    if isinstance(query, exp.SetOperation):
        return _columns_of_query(query.left, known) if isinstance(query.left, exp.Query) else None
    found: dict[str, str] = {}
    for item in query.selects:
        if item.find(exp.Column, bfs=False) and item.alias_or_name == UNKNOWN:
            return None
        if item.is_star:
            source = query.args.get("from_")
            name = source.this.name if source and isinstance(source.this, exp.Table) else ""
            if name not in known or query.args.get("joins") or known[name] is query:
                return None
            inner = _columns_of_query(known[name], {key: each for key, each in known.items() if key != name})
            if inner is None:
                return None
            found |= inner
        else:
            value = item.unalias()
            found[item.alias_or_name] = contract_type(value.to.sql(dialect="duckdb")) if type(value) is exp.Cast else ""
    return found
