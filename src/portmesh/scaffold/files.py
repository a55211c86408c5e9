"""Chooses the tables of a new source from files or tables that exist, and says what was recognised in the files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portmesh.errors import UsageError
from portmesh.scaffold.names import NAME, reserved_words
from portmesh.scaffold.rendering import assert_text
from portmesh.scaffold.snake_case import snake_case
from portmesh.scaffold.sniffing import Sniffed, sniff
from portmesh.scaffold.source import LANDED, NewTable
from portmesh.scaffold.trial_landing import problems
from portmesh.text import count

SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".zip", ".xls", ".xlsx")
SHOWN_NAMES = 12
SHORTEST = 15


def is_file(given: str) -> bool:
    """Whether `--from` names a file; otherwise it names a table, such as erp.costs."""
    return Path(given).exists() or "/" in given or given.lower().endswith(SUFFIXES)


def table_name(file: str) -> str:
    """The table's name for a file, from the file's own: daily_costs for `Daily Costs 2026-11-23.csv`."""
    stem = Path(file).name.partition(".")[0]
    words = [word for word in snake_case(stem).split("_") if not word.isdigit()]
    return "_".join(words)


def assert_table_name(name: str) -> None:
    """Raise UsageError if no table can have this name."""
    if not NAME.fullmatch(name) or name in reserved_words():
        allowed = "lower-case letters, digits and single underscores, no reserved word of SQL: daily_costs"
        raise UsageError(
            "A table cannot have this name.",
            [("got", name or "nothing"), ("allowed", allowed)],
            "name it: --table NAME",
        )


def from_columns(columns: str | None) -> list[str]:
    """The names in `--columns a,b,c`."""
    return [name.strip() for name in columns.split(",")] if columns else []


def assert_sentence(text: str) -> None:
    """Raise UsageError if this is no description."""
    assert_text(text)
    if len(text) < SHORTEST:
        facts = [("got", text), ("allowed", f"{SHORTEST} characters or more")]
        raise UsageError("This does not say enough.", facts, "write a sentence: One row per store and day.")


def assert_column(name: str) -> None:
    """Raise UsageError if this is no name of a column."""
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise UsageError("This is no name of a column.", [("got", name)], "write it as the table has it: updated_at")


@dataclass(frozen=True)
class Given:
    """What the options say: `--from`, `--table`, `--columns`, `--date-format`."""

    places: Sequence[str]
    tables: Sequence[str]
    columns: Sequence[str] = ()
    formats: Sequence[str] = ()


@dataclass(frozen=True)
class Tables:
    """The tables of a new source, in one schema. `files` and `sniffed` are empty for tables that exist."""

    schema: str
    names: Sequence[str]
    files: Sequence[str] = ()
    sniffed: Sequence[Sniffed] = ()

    @property
    def are_files(self) -> bool:
        return bool(self.files)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was recognised, for people."""
        return [fact for found in self.sniffed for fact in (*recognised(found), *problems(found))]

    def described(self, descriptions: Sequence[str]) -> list[NewTable]:
        """The tables with what a row of each is."""
        if not self.are_files:
            return [NewTable(name, text) for name, text in zip(self.names, descriptions, strict=True)]
        return [
            NewTable(name, text, found.columns, found.landing)
            for name, text, found in zip(self.names, descriptions, self.sniffed, strict=True)
        ]


def choose_tables(given: Given) -> Tables:
    """The tables that the options name.

    Raises UsageError if they name none, files and tables at once, or not as many tables as files; and what `sniff`
    raises for a file.
    """
    if not given.places:
        raise UsageError(
            "It is not said where the rows come from.",
            [("allowed", "--from FILE, for files that land\n--from SCHEMA.TABLE, for a table that exists")],
            "name an example of the files, or the table: --from costs.csv",
        )
    if given.tables and len(given.tables) != len(given.places):
        facts = [("--from", ", ".join(given.places)), ("--table", ", ".join(given.tables))]
        raise UsageError("--table must be given as often as --from.", facts, "name a table for each, in the same order")
    files = [place for place in given.places if is_file(place)]
    if files and len(files) < len(given.places):
        facts = [("got", ", ".join(given.places))]
        raise UsageError("A source has either files or tables that exist.", facts, "make two sources")
    if files:
        names = list(given.tables or map(table_name, files))
        for name in names:
            assert_table_name(name)
        return Tables(LANDED, names, files, [sniff(Path(file), given.columns, given.formats) for file in files])
    return _existing(given)


def _existing(given: Given) -> Tables:
    parts = [place.split(".") for place in given.places]
    if any(len(part) != 2 or not all(re.fullmatch("[a-z_][a-z0-9_]*", name) for name in part) for part in parts):
        facts = [("got", ", ".join(given.places)), ("allowed", "a file; or SCHEMA.TABLE in lower case: erp_raw.costs")]
        raise UsageError("This is neither a file nor a table.", facts, "name one")
    schemas = sorted({schema for schema, _ in parts})
    if len(schemas) > 1:
        raise UsageError("A source is in one schema.", [("got", ", ".join(schemas))], "make a source for each")
    if given.tables:
        facts = [("got", ", ".join(given.tables))]
        raise UsageError("A table that exists keeps its name.", facts, "leave out --table")
    if given.columns or given.formats:
        facts = [("got", ", ".join([*given.columns, *given.formats]))]
        raise UsageError(
            "--columns and --date-format say how a file is written, and a table that exists is none.",
            facts,
            "leave them out",
        )
    return Tables(schemas[0], [table for _, table in parts])


def recognised(found: Sniffed) -> list[tuple[str, str]]:
    """What a person should compare with the file: how it is written, names that changed, and what was not certain."""
    keys = [f"{key} {_shown(value)}" for key, value in found.landing.items() if key not in ("format", "nulls")]
    facts = [
        ("file", f"{found.file}: {found.format}, {count(found.rows, 'row')}, {count(len(found.columns), 'column')}")
    ]
    if keys:
        facts.append(("written with", "\n".join(keys)))
    renamed = [f"{column.name} ({column.of_file})" for column in found.columns if column.of_file]
    if renamed:
        more = f" and {len(renamed) - SHOWN_NAMES} more" if len(renamed) > SHOWN_NAMES else ""
        facts.append(("renamed", ", ".join(renamed[:SHOWN_NAMES]) + more))
    return [*facts, *found.notes]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " or ".join(str(each) for each in value)
    return {"\t": "tab", " ": "space"}.get(str(value), str(value))
