"""What recce and SQLMesh say about the pairs of `python -m benchmarks.meaning`: see docs/benchmarks.md.

    python -m benchmarks.meaning.others ENVIRONMENT [--rewrites 300] [--mutations 300] [--scale 1] [--seed 15]
        [--folder FOLDER]

ENVIRONMENT is a virtual environment with benchmarks/meaning/requirements.txt. Each tool gets all pairs in one project
of its own, with the names and types of all columns. The judge then asks of each answer what it asks of Portmesh's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlglot import exp

from benchmarks.meaning import data, queries
from benchmarks.meaning.__main__ import Result, mutations_of, prepared, rewrites_of
from benchmarks.meaning.judge import Judge, Judged, Rows
from benchmarks.meaning.pairs import ASKED, Mesh, Pair

HEAD = (
    "| | rewrites that count as a change | recall | mutations with other rows of unchanged columns | precision "
    "| columns predicted |\n|---|---|---|---|---|---|"
)
QUIET = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RECCE_DISABLE_TELEMETRY": "1",
    "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true",
}
TOOLS = {"recce": "run_recce.py", "SQLMesh": "run_sqlmesh.py"}


@dataclass(frozen=True)
class Said:
    """What a tool says of a model: the columns that change. It takes the place of a NodeChange."""

    columns: frozenset[str]

    def changes(self, column: str) -> bool:
        return column in self.columns


@dataclass(frozen=True)
class AllSaid:
    """It takes the place of Changes."""

    nodes: Mapping[str, Said]


class JudgeOfAnswers(Judge):
    """Judges what another tool said; until it was asked, that nothing changes."""

    def __init__(self, sets: Mapping[str, Rows], known: queries.Schema) -> None:
        super().__init__(sets, known)
        self.answers: dict[Pair, Said] = {}

    def _changes(self, pair: Pair) -> Any:
        said = self.answers.get(pair)
        return AllSaid({ASKED: said} if said and said.columns else {})


def models_of(mesh: Mesh, known: queries.Schema, name: str) -> dict[str, tuple[str, str]]:
    """The models of a pair under names of their own: their SQL, with marks for references, and materialization."""
    found = {f"{name}_{own}": (_marked(sql, mesh, known, name), how) for own, (sql, how) in mesh.models.items()}
    return found | {f"{name}_asked": (_marked(mesh.asked, mesh, known, name), "asked")}


def _marked(sql: str, mesh: Mesh, known: queries.Schema, name: str) -> str:
    """`{{source:store_sales:}}` and `{{ref:p1_int_totals:}}` in place of tables."""
    query = queries.parsed(sql)
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    marks: dict[str, str] = {}
    for table in query.find_all(exp.Table):
        called = table.name.removeprefix("__dbt__cte__")
        if called in mesh.models or (table.name in known and table.name not in own):
            kind, target = ("ref", f"{name}_{called}") if called in mesh.models else ("source", called)
            marks[f"mark_{len(marks)}_mark"] = f"{{{{{kind}:{target}:}}}}"
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias or table.name)))
            table.set("db", None)
            table.set("this", exp.to_identifier([*marks][-1]))
    text = queries.text(query)
    for mark, reference in marks.items():
        text = text.replace(mark, reference)
    return text


def ask(environment: Path, script: str, given: Mapping[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """What a tool answers for each pair: {category, columns}."""
    command = [str(environment / "bin" / "python"), str(Path(__file__).with_name(script)), str(folder)]
    # Without the kit, which is a plugin of dbt, and without sending anything anywhere.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | QUIET | {"HOME": str(folder)}
    answered = subprocess.run(command, input=json.dumps(given), stdout=subprocess.PIPE, text=True, check=True, env=own)
    found: dict[str, dict[str, Any]] = json.loads(answered.stdout.splitlines()[-1])
    return found


def given(pair: Pair, name: str, judge: Judge) -> dict[str, Any]:
    """A pair as the tools get it: its models before and after, and the columns of the last one."""
    sides = {"before": models_of(pair.before, judge.known, name), "after": models_of(pair.after, judge.known, name)}
    return {"id": name, "columns": list(columns_of(pair, judge)), **sides}


def columns_of(pair: Pair, judge: Judge) -> list[str]:
    """The columns of the pair's query."""
    connection = next(iter(judge.sets.values())).connection
    found = connection.execute(f"describe {pair.before.one_query()}").fetchall()
    return [str(name).lower() for name, *_ in found]


def line(name: str, judge: Judge, rewrites: Iterable[Judged], mutations: Iterable[Judged]) -> str:
    """A row of the table: what the judge says of a tool's answers."""
    again = [one for each in rewrites if (one := judge.judge(each.pair))]
    result = Result([one for each in mutations if (one := judge.judge(each.pair))])
    changed = sum(bool(each.change) for each in again)
    joint = sum(not each.joint for each in result.judged)
    predicted = result.sum(lambda each: len(each.predicted))
    return (
        f"| {name} | {changed} of {len(again)} | {result.recall:.3f} | {joint} of {len(result.judged)} "
        f"| {1 - result.equal:.3f} | {predicted:,} |"
    )


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.meaning.others")
    parser.add_argument("environment", type=Path)
    parser.add_argument("--rewrites", type=int, default=300)
    parser.add_argument("--mutations", type=int, default=300)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        own, models = prepared(data.sets(asked.folder or Path(temporary), asked.scale))
        known = own.known
        judge = JudgeOfAnswers(own.sets, known)
        rewritten = rewrites_of(judge, models.queries, asked.rewrites, random.Random(asked.seed)).judged
        mutated = mutations_of(judge, models.queries, asked.mutations, random.Random(asked.seed)).judged
        names = {each.pair: f"p{number}" for number, each in enumerate([*rewritten, *mutated])}
        listed = [given(pair, name, judge) for pair, name in names.items()]
        question = {"tables": {name: dict(columns) for name, columns in known.items()}, "pairs": listed}
        with ThreadPoolExecutor() as pool:
            asking = {
                tool: pool.submit(ask, asked.environment, script, question, Path(temporary) / tool)
                for tool, script in TOOLS.items()
            }
    print(HEAD)
    for tool, waiting in asking.items():
        answers = waiting.result()
        judge.answers = {pair: Said(frozenset(answers[name]["columns"])) for pair, name in names.items()}
        print(line(tool, judge, rewritten, mutated), flush=True)
        for what, judged in (("rewrites", rewritten), ("mutations", mutated)):
            said = Counter(answers[names[each.pair]]["category"] for each in judged)
            print(f"<!-- {tool}, {what}: {', '.join(f'{number} {name}' for name, number in said.most_common())} -->")
    print(line("**Portmesh**", own, rewritten, mutated))


if __name__ == "__main__":
    main(sys.argv[1:])
