"""Random queries for DuckDB over three tables of whole numbers, to compare what lineage predicts with what happens."""

from __future__ import annotations

import random

TABLES = {"t1": ["a", "b", "k"], "t2": ["c", "d", "k"], "t3": ["a", "e", "k"]}


class Queries:
    """Makes one query after another from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def name(self, letter: str = "x") -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def query(self) -> str:
        """A query with up to three CTEs."""
        ctes: dict[str, list[str]] = {}
        parts: list[str] = []
        recursive = ""
        for _ in range(self.random.randint(0, 3)):
            name = self.name("cte")
            if self.chance(0.08):
                recursive = "recursive "
                step = f"select {name}.a + 1, t2.d from {name} join main.t2 on t2.k = {name}.k where {name}.a < 3"
                sql, columns = f"select a, k from main.t1 union all {step}", ["a", "k"]
            else:
                sql, columns = self.select(ctes, 1)
            if self.chance(0.15) and not recursive:
                columns = [self.name("n") for _ in columns]
                parts.append(f"{name}({', '.join(columns)}) as ({sql})")
            else:
                parts.append(f"{name} as ({sql})")
            ctes[name] = columns
        sql, _ = self.select(ctes, 2)
        return (f"with {recursive}{', '.join(parts)} " if parts else "") + sql

    def source(self, ctes: dict[str, list[str]], depth: int) -> tuple[str, str, list[str]]:
        """SQL in `from`, the alias, and the columns."""
        if depth > 0 and self.chance(0.2):
            sql, columns = self.select(ctes, depth - 1)
            alias = self.name("s")
            return f"({sql}) as {alias}", alias, columns
        if self.chance(0.05):
            alias = self.name("v")
            return f"(values (0, 1), (1, 2), (2, 0)) as {alias}(p, q)", alias, ["p", "q"]
        names = {**{f"main.{name}": columns for name, columns in TABLES.items()}, **ctes}
        name = self.random.choice([*names, *ctes])
        alias = self.name("r")
        return f"{name} as {alias}", alias, names[name]

    def select(self, ctes: dict[str, list[str]], depth: int) -> tuple[str, list[str]]:
        if depth > 0 and self.chance(0.15):
            return self.set_operation(ctes, depth)
        text, alias, columns = self.source(ctes, depth)
        scope = {alias: columns}
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            text += self.join(ctes, depth, scope)
        if self.chance(0.08):
            unnested = self.name("u")
            text += f", unnest([{self.column(scope)}, {self.column(scope)}]) as {unnested}(z)"
            scope[unnested] = ["z"]
        if self.chance(0.08):
            lateral, inner = self.name("l"), self.column(scope)
            text += f", lateral (select {inner} + c as z from main.t2 where k = {self.column(scope)}) as {lateral}"
            scope[lateral] = ["z"]
        where = f" where {self.condition(ctes, scope)}" if self.chance(0.5) else ""
        if self.chance(0.3):
            return self.grouped(scope, text, where)
        return self.plain(scope, text, where, depth)

    def join(self, ctes: dict[str, list[str]], depth: int, scope: dict[str, list[str]]) -> str:
        text, alias, columns = self.source(ctes, depth)
        kind = self.one("join", "left join", "full join", "cross join", "semi join", "anti join", "right join", ",")
        if kind == "cross join":
            scope[alias] = columns
            return f" cross join {text}"
        if kind == ",":
            scope[alias] = columns
            return f", {text}"
        left = self.outer(scope)
        sql = f" {kind} {text} on {left} = {alias}.{self.random.choice(columns)}"
        if self.chance(0.2):
            sql += f" and {self.outer({alias: columns})} > 0"
        if kind not in ("semi join", "anti join"):
            scope[alias] = columns
        return sql

    def column(self, scope: dict[str, list[str]]) -> str:
        alias = self.random.choice(list(scope))
        name = self.random.choice(scope[alias])
        # A name that only one table has needs no qualifier.
        alone = sum(columns.count(name) for columns in scope.values()) == 1
        return name if alone and self.chance(0.5) else f"{alias}.{name}"

    def expression(self, scope: dict[str, list[str]], depth: int) -> str:
        first, second = self.column(scope), self.column(scope)
        kind = self.random.randint(0, 16)
        if kind == 9 and depth > 0:
            name = self.random.choice(list(TABLES))
            return f"(select max({TABLES[name][0]}) from main.{name} where {name}.k = {self.outer(scope)})"
        if kind == 10 and depth > 0:
            return f"(select count(*) from main.t2 where c > {self.outer(scope)})"
        if kind == 11:
            order = self.column(scope)
            return f"sum({first}) over (partition by {second} order by {order} range unbounded preceding)"
        return {
            0: f"{first} + {second}",
            1: f"case when {first} > 1 then {second} else {self.column(scope)} end",
            2: f"coalesce({first}, {second})",
            3: f"cast({first} as bigint)",
            4: f"({{'x': {first}, 'y': {second}}}).y",
            5: f"list_sum(list_transform([{first}, {second}], lambda v: v + {self.column(scope)}))",
            6: f"nullif({first}, 2)",
            7: f"count(*) over (partition by {first})",
            8: f"{first} is null",
            12: f"dense_rank() over (order by {first})",
            13: f"list_extract([{first}, {second}], 1)",
            14: f"len([y for y in [{first}, {second}] if y > 1])",
        }.get(kind, first)

    def outer(self, scope: dict[str, list[str]]) -> str:
        alias = self.random.choice(list(scope))
        return f"{alias}.{self.random.choice(scope[alias])}"

    def condition(self, ctes: dict[str, list[str]], scope: dict[str, list[str]]) -> str:
        column = self.column(scope)
        kind = self.random.randint(0, 8)
        if kind == 0:
            sql, columns = self.select(ctes, 0)
            return f"{column} in (select {columns[0]} from ({sql}) as q)"
        if kind == 1:
            return f"exists (select 1 from main.t2 where t2.k = {self.outer(scope)} and d > 0)"
        if kind == 2:
            return f"not exists (select * from main.t3 as n where n.e = {self.outer(scope)})"
        if kind == 3:
            return f"{column} = (select max(a) from main.t1)"
        if kind == 4:
            return f"({column} > 0 or {self.column(scope)} = 1)"
        return self.one(f"{column} > 0", f"{column} is not null", f"{column} = {self.column(scope)}", f"{column} < 3")

    def plain(self, scope: dict[str, list[str]], text: str, where: str, depth: int) -> tuple[str, list[str]]:
        listed, names = [], []
        alias = self.random.choice(list(scope))
        if self.chance(0.25) and len(set(scope[alias])) == len(scope[alias]):
            first = self.random.choice(scope[alias])
            star = self.random.randint(0, 3)
            if star == 1 and len(scope[alias]) > 1:
                listed.append(f"{alias}.* exclude ({first})")
                names += [name for name in scope[alias] if name != first]
            elif star == 2:
                listed.append(f"{alias}.* replace ({self.column(scope)} as {first})")
                names += scope[alias]
            elif star == 3 and len(scope) == 1:
                listed.append("*")
                names += scope[alias]
            else:
                listed.append(f"{alias}.*")
                names += scope[alias]
        for _ in range(self.random.randint(0 if listed else 1, 3)):
            name = self.name("x")
            expression = self.expression(scope, depth)
            if names and names[-1].startswith("x") and "select" not in listed[-1] and self.chance(0.1):
                expression = f"{names[-1]} is null"  # an alias of the same select
            listed.append(f"{expression} as {name}")
            names.append(name)
        if self.chance(0.06):
            name = self.name("x")
            listed.append(f"unnest([{self.column(scope)}, 1]) as {name}")
            names.append(name)
        distinct = ""
        if self.chance(0.1):
            distinct = "distinct "
        sql = f"select {distinct}{', '.join(listed)} from {text}{where}"
        if self.chance(0.1) and not distinct:
            sql += f" qualify row_number() over (partition by {self.outer(scope)} order by all_values) = 1".replace(
                "all_values", ", ".join(f"{a}.{c}" for a, columns in scope.items() for c in columns)
            )
        if self.chance(0.15) and not distinct:
            order = ", ".join(str(i + 1) for i in range(len(names)))
            sql += f" order by {order} limit {self.random.randint(1, 6)}"
        return sql, names

    def grouped(self, scope: dict[str, list[str]], text: str, where: str) -> tuple[str, list[str]]:
        keys = [self.column(scope) for _ in range(self.random.randint(0, 2))]
        names = [self.name("g") for _ in keys]
        listed = [f"{key} as {name}" for key, name in zip(keys, names, strict=True)]
        for _ in range(self.random.randint(1, 2)):
            name, column = self.name("m"), self.column(scope)
            aggregate = self.one(
                "count(*)",
                f"sum({column})",
                f"max({column})",
                f"count(distinct {column})",
                f"sum({column}) filter (where {self.column(scope)} > 0)",
                f"list_sum(list({column} order by {self.column(scope)}))",
                f"max({column}) + min({self.column(scope)})",
                f"arg_max({column}, {column} * 10 + {self.column(scope)})",
                f"sum(sum({column})) over ()",
            )
            listed.append(f"{aggregate} as {name}")
            names.append(name)
        by = ""
        if keys:
            styles = [
                ", ".join(keys),
                ", ".join(names[: len(keys)]),
                ", ".join(str(i + 1) for i in range(len(keys))),
                "all",
            ]
            if len(set(keys)) == len(keys):
                styles += [f"rollup ({', '.join(keys)})", f"grouping sets (({', '.join(keys)}), ())"]
            by = f" group by {self.random.choice(styles)}"
        having = f" having {self.one('count(*) > 1', f'max({self.column(scope)}) > 1')}" if self.chance(0.2) else ""
        return f"select {', '.join(listed)} from {text}{where}{by}{having}", names

    def set_operation(self, ctes: dict[str, list[str]], depth: int) -> tuple[str, list[str]]:
        left, names = self.select(ctes, depth - 1)
        right, others = self.select(ctes, depth - 1)
        size = min(len(names), len(others))
        if len(set(names[:size])) < size:
            return left, names
        operator = self.one("union all", "union", "except", "intersect", "union all by name")
        first = f"select {', '.join(names[:size])} from ({left}) as q"
        renamed = ", ".join(f"{old} as {new}" for old, new in zip(others[:size], reversed(names[:size]), strict=True))
        second = f"select {renamed} from ({right}) as q"
        return f"{first} {operator} {second}", names[:size]
