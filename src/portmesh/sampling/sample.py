"""Plans a sample from what catalogs say, then takes it: read, mask, write."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from portmesh.dbt import parse_readable
from portmesh.errors import FindingsError, UsageError, not_allowed
from portmesh.keys import CLASSIFICATIONS
from portmesh.lake.folder import FolderLake
from portmesh.repository import lake_folder
from portmesh.sampling.choosing import Choice, choose
from portmesh.sampling.local import ROWS_PER_BATCH, Local, Writer
from portmesh.sampling.masking import Masks
from portmesh.sampling.origin import Origin, no_raw_rows_on_disk, not_there, open_origin
from portmesh.sampling.wanted import Wanted, wish_of
from portmesh.text import quoted

SCALE = 16**8


@dataclass(frozen=True)
class Plan:
    """What would be read and where it would go. `stays` are sources that are read here as in production, with where."""

    domain: str
    share: float
    mask_above: str
    origin: Origin
    local: Local
    choices: tuple[Choice, ...]
    stays: Mapping[str, str]
    earlier: tuple[str, ...]

    @property
    def bytes(self) -> int:
        return sum(choice.facts.bytes for choice in self.choices)

    @property
    def cost(self) -> float:
        """US dollars, at most."""
        return self.bytes / 2**30 * self.origin.price_per_gib

    def expected(self, choice: Choice) -> int | None:
        """About how many rows a table gives. None if it depends on other tables' rows."""
        if choice.way == "linked" or choice.facts.rows is None:
            return None
        return choice.facts.rows if choice.way == "whole" else round(choice.facts.rows * self.share / 100)


def parse_share(text: str) -> float:
    """`1%`, `0.5 %` or `5` as per cent. Raises UsageError for anything else, and outside of 0 to 100."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", text.strip())
    if not found or not 0 < float(found[1]) <= 100:
        facts = [("got", text or "nothing"), ("allowed", "above 0 % and up to 100 %: 1%, 0.5%, 100%")]
        raise UsageError("--share is not a share of the rows.", facts, "--share 1%")
    return float(found[1])


@contextmanager
def planned(domain: str, origin: str | None, share: str, mask_above: str) -> Iterator[tuple[Plan, Sampler]]:
    """The plan of a sample, and what takes it. Reads catalogs and manifests, but no rows.

    `origin` is a target or a DuckDB file; None means the target where the domain is built in production.
    """
    per_cent = parse_share(share)
    if mask_above not in CLASSIFICATIONS:
        raise not_allowed("classification", mask_above, CLASSIFICATIONS)
    readable = parse_readable("--target", "local")
    wish = wish_of(domain, readable)
    file = Path(readable.database).resolve()
    local = Local(file, FolderLake(lake_folder()))
    with no_raw_rows_on_disk() as memory:
        _assert_other(origin, file)
        opened = open_origin(origin or wish.engine or "athena", memory)
        here, stays = _stays(wish.tables, opened, local)
        facts = {table.label: opened.facts(table) for table in here}
        if missing := [table for table in here if facts[table.label] is None]:
            raise not_there(missing, opened)
        known = {label: found for label, found in facts.items() if found}
        choices = choose(type(wish)(wish.domain, wish.engine, here, wish.subjects), known, mask_above, per_cent == 100)
        local.assert_free(here)
        plan = Plan(domain, per_cent, mask_above, opened, local, tuple(choices), stays, tuple(local.earlier()))
        yield plan, Sampler(plan, memory)


def _assert_other(origin: str | None, file: Path) -> None:
    if origin and Path(origin).expanduser().resolve() == file:
        raise UsageError(
            "A sample cannot come from the database that it goes to.",
            [("where", str(file)), ("got", f"--from {origin}")],
            "name production's DuckDB file, or give the sample its own: export PORTMESH_DATABASE=$PWD/sample.duckdb",
        )


def _stays(tables: Sequence[Wanted], origin: Origin, local: Local) -> tuple[tuple[Wanted, ...], dict[str, str]]:
    """The tables to sample, and those that DuckDB reads here from the place where production has them."""
    same_lake = getattr(origin, "lake_folder", None) == local.lake.folder
    stays = {table.label: table.place for table in tables if table.place}
    stays |= {table.label: f"the lake {local.lake.folder}" for table in tables if table.feed and same_lake}
    return tuple(table for table in tables if table.label not in stays), stays


class Sampler:
    """Takes a planned sample."""

    def __init__(self, plan: Plan, memory: duckdb.DuckDBPyConnection) -> None:
        self._plan = plan
        self._memory = memory
        self._masks = Masks()
        self._about = (
            f"{plan.share:g} % of {plan.origin.location} for {plan.domain}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        )

    def take(self, progress: Callable[[str], None] = lambda _: None) -> dict[str, int]:
        """Read, mask and write all tables. Returns the rows written of each. `progress` gets the name of each."""
        choices = self._plan.choices
        remembered = {place for choice in choices for place in choice.links}
        for label, column in remembered:
            self._memory.execute(f"create table {_values_of(label, column)} (value varchar primary key)")
        with self._plan.local.replacing([choice.table for choice in choices]) as writer:
            for choice in choices:
                progress(choice.table.label)
                columns = [column for label, column in remembered if label == choice.table.label]
                self._copy(choice, columns, writer)
            sampled = [choice.table.label for choice in choices if choice.way == "hash" and choice.column]
            had_rows = [choice for choice in choices if choice.table.label in sampled and choice.facts.rows]
            if had_rows and not any(writer.rows[label] for label in sampled):
                raise FindingsError(
                    f"No row has a key among the chosen {self._plan.share:g} %, so nothing was written.",
                    [(c.table.label, f"{c.facts.rows or 0:,} rows, by {c.column}") for c in had_rows],
                    "name a larger share: --share 10%",
                )
        return writer.rows

    def _copy(self, choice: Choice, remembered: Sequence[str], writer: Writer) -> None:
        with (
            self._memory.cursor() as reading,
            self._memory.cursor() as remembering,
            self._plan.origin.opened(choice.table, reading) as relation,
        ):
            sql = f"select chosen.* from {relation} as chosen{self._condition(choice)}"
            batches: pa.RecordBatchReader = reading.sql(sql).to_arrow_reader(ROWS_PER_BATCH)
            schema = batches.schema
            by_lower = {name.lower(): name for name in choice.facts.columns}

            def masked() -> Iterator[pa.RecordBatch]:
                for batch in batches:
                    for column in remembered:
                        _remember(remembering, batch, by_lower[column], _values_of(choice.table.label, column))
                    yield self._mask_batch(choice, batch)

            reader = pa.RecordBatchReader.from_batches(schema, masked())
            writer.write(choice.table, choice.facts.columns, reader, self._about)

    def _condition(self, choice: Choice) -> str:
        column = f"chosen.{quoted(choice.column)}"
        if choice.way == "whole":
            return ""
        if choice.way == "linked":
            values = " union all ".join(f"from {_values_of(*place)}" for place in choice.links)
            return f" where key_text({column}) in ({values})"
        # Compared as text, so that every engine would choose the same rows.
        limit = f"{min(round(self._plan.share / 100 * SCALE), SCALE - 1):08x}"
        row = "chosen::varchar"
        text = f"coalesce(key_text({column}), {row})" if choice.column else row
        return f" where left(md5({text}), 8) < '{limit}'"

    def _mask_batch(self, choice: Choice, batch: pa.RecordBatch) -> pa.RecordBatch:
        owner = next((name for name in batch.schema.names if name.lower() == choice.owner), "")
        known = batch.column(owner).to_pylist() if owner else [None] * len(batch)
        # A row that nobody owns is its own.
        owners = [secrets.token_hex(8) if found is None else found for found in known]
        columns = [self._mask(choice, name, batch.column(name), owners) for name in batch.schema.names]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _mask(self, choice: Choice, name: str, values: pa.Array, owners: Sequence[Any]) -> pa.Array:
        how = choice.masked.get(name)
        if not how:
            return values
        if how == "null":
            return pa.nulls(len(values), values.type)
        if how == "choice":
            allowed = self._allowed(choice, name, choice.facts.columns[name])
            new = self._masks.choose_all(values.to_pylist(), allowed)
            return pa.array(new).cast(values.type) if any(value is not None for value in new) else values
        plain = values.cast(pa.timestamp("us", values.type.tz)) if pa.types.is_timestamp(values.type) else values
        return pa.array(self._masks.replace_all(plain.to_pylist(), owners), plain.type).cast(values.type)

    def _allowed(self, choice: Choice, name: str, kind: str) -> Sequence[Any]:
        if kind == "BOOLEAN":
            return [True, False]
        if name.lower() in choice.table.accepted:
            return choice.table.accepted[name.lower()]
        found = self._memory.cursor().execute(f"select enum_range(null::{kind})").fetchall()
        return list(found[0][0])


def _values_of(label: str, column: str) -> str:
    return quoted(f"values of {label} {column}")


def _remember(connection: duckdb.DuckDBPyConnection, batch: pa.RecordBatch, column: str, table: str) -> None:
    """Keep the values of a column, in memory only, for the tables that are linked to it."""
    connection.register("remembered", pa.Table.from_batches([batch]).select([column]))
    connection.execute(
        f"insert or ignore into {table} "
        f"select distinct key_text({quoted(column)}) from remembered where {quoted(column)} is not null"
    )
    connection.unregister("remembered")
