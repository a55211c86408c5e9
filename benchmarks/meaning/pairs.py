"""Pairs of meshes before and after a change, made of the queries of TPC-DS."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from benchmarks.meaning import mutations, rewrites
from benchmarks.meaning.queries import Schema, parsed, qualified, text
from tests.sql_manifest import manifest, model
from tests.tpc import primary

ASKED = "model.shop.asked"
KEYS = primary("tpcds")
MOVES = ("ephemeral", "view", "table")


@dataclass(frozen=True)
class Mesh:
    """A model `asked`, and the models that it reads, by name: their SQL and materialization."""

    asked: str
    models: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)

    def manifest(self, known: Schema) -> dict[str, Any]:
        """As dbt would compile it. The tables are ports with a contract and the keys of TPC-DS's specification."""
        texts = [self.asked, *(sql for sql, _ in self.models.values())]
        read = {table.name for sql in texts for table in parsed(sql).find_all(exp.Table)}
        ports = [_port(table, columns) for table, columns in known.items() if table in read]
        checks = [check for table in known if table in read for check in _checks(table)]
        ids = {f"model.shop.{name}" for name in self.models}
        parents = [*(id_ for each in ports for id_ in each), *sorted(ids)]
        nodes = [
            model(f"shop.{name}", sql, parents[: len(ports)], config={"materialized": how})
            for name, (sql, how) in self.models.items()
        ]
        asked, ctes = self.asked, []
        for name, (sql, how) in self.models.items():
            if how == "ephemeral":
                asked = _with_ephemeral(asked, name, sql)
                ctes.append({"id": f"model.shop.{name}", "sql": f" __dbt__cte__{name} as (\n{sql}\n)"})
        return manifest(*ports, *checks, *nodes, model("shop.asked", asked, parents, extra_ctes=ctes))

    def one_query(self) -> str:
        """All models in one query, for DuckDB."""
        query = parsed(self.asked)
        for table in query.find_all(exp.Table):
            table.set("db", None)
        for name, (sql, how) in reversed(self.models.items()):
            called = f"__dbt__cte__{name}" if how == "ephemeral" else name
            rewrites.add_cte(query, called, parsed(sql), first=True)
        return text(query)


def _port(table: str, columns: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    config = {"materialized": "output_port"}
    return model(f"tpcds.{table}", f"select * from raw_{table}", contract=columns, config=config)


def _checks(table: str) -> Iterator[dict[str, dict[str, Any]]]:
    """The checks of a table's primary key."""
    key = KEYS[table]
    unique = ("unique", {"column_name": key[0]}) if len(key) == 1 else ("unique_combination", {"columns": [*key]})
    for number, (kind, given) in enumerate([unique, *(("not_null", {"column_name": name}) for name in key)]):
        test = {"namespace": "portmesh" if kind == "unique_combination" else None, "name": kind, "kwargs": given}
        more = {"resource_type": "test", "attached_node": f"model.tpcds.{table}", "test_metadata": test}
        yield model(f"tpcds.check_{number}_of_{table}", "select 1", [f"model.tpcds.{table}"], **more)


def _with_ephemeral(asked: str, name: str, sql: str) -> str:
    query = parsed(asked)
    rewrites.add_cte(query, f"__dbt__cte__{name}", parsed(sql), first=True)
    return text(query)


@dataclass(frozen=True)
class Pair:
    """A change: which query, which kind of change, what exactly, and the mesh before and after."""

    number: str
    kind: str
    what: str
    before: Mesh
    after: Mesh


def rewritten(queries: Mapping[str, exp.Query], known: Schema, chance: random.Random) -> Iterator[Pair]:
    """Rewrites without end: each kind in turn, of a query by chance."""
    kinds = [*rewrites.KINDS, *(f"cte to {how} model" for how in MOVES), "tables through views", "three at once"]
    while True:
        for kind in kinds:
            numbers = list(queries)
            chance.shuffle(numbers)
            for number in numbers:
                after = _rewritten(kind, queries[number], known, chance)
                if after is not None:
                    yield Pair(number, "rewrite", kind, Mesh(text(queries[number])), after)
                    break


def _rewritten(kind: str, original: exp.Query, known: Schema, chance: random.Random) -> Mesh | None:
    query = qualified(original, known)
    if kind.startswith("cte to "):
        return _moved(query, kind.split()[2], chance)
    if kind == "tables through views":
        return _staged(query, known)
    if kind == "three at once":
        return Mesh(text(query)) if len(list(rewrites.several(query, chance))) == 3 else None
    return Mesh(text(query)) if rewrites.KINDS[kind](query, chance) else None


def _moved(query: exp.Query, how: str, chance: random.Random) -> Mesh | None:
    """One of the CTEs, and those that it needs, as models."""
    with_ = query.args.get("with_")
    if not with_:
        return None
    ctes = list(with_.expressions)
    number = chance.randrange(len(ctes))
    moved, needed = ctes[number], ctes[:number]
    body = moved.this.copy()
    used = [cte for cte in needed if _reads(body, cte.alias, needed)]
    if used and not body.args.get("with_"):
        body.set("with_", exp.With(expressions=[cte.copy() for cte in used]))
    name = f"int_{moved.alias}"
    called = f"__dbt__cte__{name}" if how == "ephemeral" else name
    for table in query.find_all(exp.Table):
        if table.name == moved.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            table.set("this", exp.to_identifier(called))
            if how != "ephemeral":
                table.set("db", exp.to_identifier("shop"))
    kept = [cte for cte in ctes if cte is not moved]
    query.set("with_", exp.With(expressions=kept) if kept else None)
    return Mesh(text(query), {name: (text(body), how)})


def _reads(body: exp.Expr, name: str, ctes: list[exp.Expr]) -> bool:
    read = {table.name for table in body.find_all(exp.Table)}
    return name in read or any(cte.alias in read and cte.alias != name and _reads(cte.this, name, ctes) for cte in ctes)


def _staged(query: exp.Query, known: Schema) -> Mesh:
    """All tables through views that rename nothing."""
    models = {}
    for table in query.find_all(exp.Table):
        if table.name in known:
            name = f"stg_{table.name}"
            models[name] = (f"select {', '.join(known[table.name])} from {table.name}", "view")
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            table.set("this", exp.to_identifier(name))
            table.set("db", exp.to_identifier("shop"))
    return Mesh(text(query), models)


def mutated(queries: Mapping[str, exp.Query], known: Schema, chance: random.Random) -> Iterator[Pair]:
    """Mutations without end: each of the four kinds in turn, each way in turn, of a query by chance."""
    ways = {kind: [*ways] for kind, ways in mutations.KINDS.items()}
    ways["source column"] += ["column of a staging model"]
    turn = 0
    while True:
        for kind, names in ways.items():
            what = names[turn % len(names)]
            numbers = list(queries)
            chance.shuffle(numbers)
            for number in numbers:
                pair = _mutated(kind, what, number, queries[number], known, chance)
                if pair is not None:
                    yield pair
                    break
        turn += 1


def _mutated(
    kind: str, what: str, number: str, original: exp.Query, known: Schema, chance: random.Random
) -> Pair | None:
    query = qualified(original, known)
    if what == "column of a staging model":
        staged = _staged(query, known)
        name = chance.choice(sorted(staged.models))
        columns = known[name.removeprefix("stg_")]
        asked = [c for c in columns if any(each.name == c for each in query.find_all(exp.Column))]
        column = chance.choice(asked or list(columns))
        other = _other_value(column, columns, chance)
        listed = [f"{other} as {each}" if each == column else each for each in columns]
        sql = f"select {', '.join(listed)} from {name.removeprefix('stg_')}"
        return Pair(number, kind, what, staged, Mesh(staged.asked, {**staged.models, name: (sql, "view")}))
    if not mutations.KINDS[kind][what](query, chance, known):
        return None
    return Pair(number, kind, what, Mesh(text(original)), Mesh(text(query)))


def _other_value(column: str, columns: Mapping[str, str], chance: random.Random) -> str:
    """What a staging model may make of a column: another column, another value, a coarser one, or null for some."""
    type_ = columns[column]
    like = [name for name, other in columns.items() if other == type_ and name != column]
    way = chance.choice(["other column", "other value", "coarser", "null"])
    if way == "other column" and like:
        return chance.choice(like)
    if way == "null":
        measured = {"DATE": f"day({column})", "VARCHAR": f"length({column})"}.get(type_, f"cast({column} as bigint)")
        return f"case when {measured} % 4 > 0 then {column} end"
    if type_ == "DATE":
        return f"cast(date_trunc('month', {column}) as date)" if way == "coarser" else f"{column} + 1"
    if type_ == "VARCHAR":
        return f"left({column}, 1)" if way == "coarser" else f"{column} || 'x'"
    return f"cast(floor({column} / 10) as {type_})" if way == "coarser" else f"cast({column} + 1 as {type_})"
