"""Random queries over two small tables with nulls, NaN and duplicates, for tests that run them on DuckDB."""

from __future__ import annotations

import random

import duckdb

SCHEMA = {
    "t": {"a": "INTEGER", "b": "INTEGER", "s": "VARCHAR", "d": "DOUBLE"},
    "u": {"a": "INTEGER", "c": "INTEGER", "s": "VARCHAR", "d": "DOUBLE"},
}
ROWS = {
    "t": """(1, 1, 'x', 1.5), (1, 1, 'x', 1.5), (2, null, 'y', 'nan'), (null, 2, null, -1), (3, 0, '', null),
            (2, 2, 'x', 'nan')""",
    "u": """(1, 2, 'x', 'nan'), (2, null, 'y', 2.5), (null, 1, null, null), (2, 2, 'y', 1.5), (0, 0, 'z', -1)""",
}


def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    for table, columns in SCHEMA.items():
        connection.execute(f"create table {table} ({', '.join(f'{name} {type_}' for name, type_ in columns.items())})")
        connection.execute(f"insert into {table} values {ROWS[table]}")
    return connection


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, str]]:
    """The rows, by the names of columns; the values as text, so that NaN is NaN."""
    found = connection.execute(sql)
    names = [column[0].lower() for column in found.description or ()]
    return [dict(zip(names, map(repr, row), strict=True)) for row in found.fetchall()]


def bag(rows: list[dict[str, str]], *columns: str) -> tuple[tuple[str, ...], ...]:
    """The rows with these columns only, in an order that is always the same."""
    return tuple(sorted(tuple(row[column] for column in columns) for row in rows))


class Writer:
    """Writes queries with columns `p` and `q` from a small grammar, so that many mean the same."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def one_of(self, *parts: str) -> str:
        return self.chance.choice(parts)

    def number(self, alias: str) -> str:
        column = f"{alias}.{self.one_of('a', 'b' if alias.startswith('t') else 'c')}"
        return self.one_of(column, column, column, f"({column} + 1)", f"(1 + {column})", f"coalesce({column}, 0)", "1")

    def condition(self, aliases: list[str], depth: int = 2) -> str:
        one, other = self.chance.choice(aliases), self.chance.choice(aliases)
        left, right = self.number(one), self.number(other)
        double, value = f"{one}.d", self.one_of("1.5", "2.5")
        simple = [
            f"{left} {self.one_of('=', '<', '<=', '>', '>=', '<>')} {right}",
            f"{right} {self.one_of('=', '<', '<=', '>', '>=', '<>')} {left}",
            f"{double} {self.one_of('<', '<=', '>', '>=', '=', '<>')} {value}",
            f"{value} {self.one_of('<', '<=', '>', '>=', '=', '<>')} {double}",
            f"{left} between 1 and 2",
            f"({left} >= 1 and 2 >= {left})",
            f"{left} in (1, 2)",
            f"{left} in (2, 1, 1)",
            f"({left} = 2 or 1 = {left})",
            f"{left} is null",
            f"{one}.s in ('x', 'y')",
            f"{one}.s = 'x'",
            f"{left} in (select u9.a from u as u9 where u9.c = {right})",
            f"exists (select 1 from u as u9 where u9.a = {left} and u9.c = {right})",
            f"exists (select * from u as u9 where {right} = u9.c and {left} = u9.a)",
        ]
        if depth == 0:
            return self.chance.choice(simple)
        parts = [self.condition(aliases, depth - 1) for _ in range(2)]
        compound = [
            f"({parts[0]} and {parts[1]})",
            f"({parts[1]} or {parts[0]})",
            f"not ({parts[0]})",
            parts[0],
            parts[1],
        ]
        return self.chance.choice(compound)

    def source(self, alias: str) -> str:
        """A table by its first letter; as it is, or as a subquery with all its columns."""
        table, other = alias[0], "b" if alias[0] == "t" else "c"
        listed = f"select x{alias[0]}.a, x{alias[0]}.{other}, x{alias[0]}.s, x{alias[0]}.d from {table} as x{alias[0]}"
        return self.one_of(
            f"{table} as {alias}",
            f"{table} as {alias}",
            f"(select * from {table}) as {alias}",
            f"({listed}) as {alias}",
            f"(select distinct * from {table}) as {alias}",
            f"(select * from {table} where a = 1) as {alias}",
            f"(select a, coalesce({other}, 0) as {other}, s, d from {table}) as {alias}",
            f"(select a, max({other}) as {other}, s, max(d) as d from {table} group by a, s) as {alias}",
            f"(select a, max({other}) as {other}, s, max(d) as d from {table} group by s, a having a > 1) as {alias}",
            f"(select * from (select *, count(*) over (partition by s) as n from {table}) where n > 1) as {alias}",
            f"(select * from {table} union all select * from {table}) as {alias}",
            f"(select * from {table} union select * from {table}) as {alias}",
        )

    def joined(self) -> tuple[str, list[str]]:
        first, second = self.one_of("t1", "u1"), self.one_of("t2", "u2")
        kind = self.one_of("alone", "alone", "join", "join", "comma", "left", "right", "full")
        if kind == "alone":
            return self.source(first), [first]
        if kind == "comma":
            return f"{self.source(first)}, {self.source(second)}", [first, second]
        on = self.one_of(f"{first}.a = {second}.a", f"{second}.a = {first}.a", self.condition([first, second], 1))
        if kind == "full":
            on = f"{first}.a = {second}.a"
        joined = f"{self.source(first)} {kind if kind != 'join' else ''} join {self.source(second)} on {on}"
        if self.chance.random() < 0.3 and kind in ("left", "join"):
            on = self.one_of(f"{first}.a = t3.a", f"t3.a = {second}.a")
            return f"{joined} {self.one_of('left', 'inner')} join {self.source('t3')} on {on}", [first, second, "t3"]
        return joined, [first, second]

    def select(self) -> str:
        source, aliases = self.joined()
        where = f" where {self.condition(aliases)}" if self.chance.random() < 0.6 else ""
        p, q = (self.number(self.chance.choice(aliases)) for _ in range(2))
        form = self.chance.randrange(6)
        if form == 0:
            aggregate = self.one_of("sum({})", "count({})", "max({})", "count(distinct {})", "sum(coalesce({}, 0))")
            call = aggregate.format(q)
            having = self.one_of("", f" having {p} > 1", " having count(*) > 1", f" having 1 < {p}")
            return (
                f"select {p} as p, {call} as q from {source}{where} group by {p}{having}" if p != "1" else self.select()
            )
        if form == 1:
            return f"select distinct {p} as p, {q} as q from {source}{where}"
        if form == 2:
            return f"select sum({p}) as p, count(*) as q from {source}{where}"
        if form == 3:
            over = self.one_of(f"partition by {q}", "", f"order by {q}")
            function = self.one_of(f"sum({p})", "count(*)", f"max({p})")
            return f"select {p} as p, {function} over ({over}) as q from {source}{where}"
        return f"select {p} as p, {q} as q from {source}{where}"

    def query(self) -> str:
        """A query with columns p and q: a select, or selects of selects."""
        form = self.chance.randrange(7)
        if form == 0:
            return f"{self.select()} {self.one_of('union all', 'union', 'except', 'intersect')} {self.select()}"
        if form == 1:
            condition = self.one_of("p > 1", "q > 1", "p < 1", "q < 1", "1 < p", "not (p > 1)")
            return f"with w as ({self.select()}) select p, q from w where {condition}"
        if form == 2:
            return f"with w as ({self.select()}) select w.p, v.q from w join w as v on w.p = v.p"
        if form == 3:
            return f"select p, count(*) as q from ({self.select()}) as w group by p"
        return self.select()

    def other_way(self, sql: str) -> str:
        """The query with another layer around it, which changes nothing."""
        return self.one_of(
            sql,
            f"select * from ({sql})",
            f"with w0 as ({sql}) select q, p from w0",
            f"select z.q as q, p from ({sql}) as z",
        )
