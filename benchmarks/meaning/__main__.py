"""Measures what `portmesh.lineage.meaning` says of changes, with DuckDB as the judge. See docs/benchmarks.md.

    python -m benchmarks.meaning [--rewrites 300] [--mutations 300] [--scale 0.3] [--seed 15] [--folder FOLDER] [--all]

Makes the data of TPC-DS once (in FOLDER, or a temporary one), other sets of data from it (data.py), and rewrites and
mutations of its queries. Prints a table of both, judged by all sets, and what each set alone would say. `--all` also
tells of each pair, on stderr, when it is judged.
Exits with 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.meaning import data, mutations, pairs, queries
from benchmarks.meaning.data import NotExecutedError
from benchmarks.meaning.judge import Judge, Judged, Rows

MOST_EQUAL = 0.1
Tell = Callable[[Judged], None]


def _nothing(_: Judged) -> None:
    """Tell nothing."""


@dataclass
class Result:
    """What was judged, and how many pairs were left out for what reason."""

    judged: list[Judged] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def sum(self, count: Callable[[Judged], int], what: str = "") -> int:
        return sum(count(each) for each in self.judged if not what or each.pair.what == what)

    @property
    def recall(self) -> float:
        differ = self.sum(lambda each: len(each.differ))
        return 1 - self.sum(lambda each: len(each.missed)) / differ if differ else 1.0

    @property
    def equal(self) -> float:
        predicted = self.sum(lambda each: len(each.predicted))
        return self.sum(lambda each: len(each.equal)) / predicted if predicted else 0.0

    def only(self, name: str) -> Result:
        """By one set of data alone, and the pairs that count in it."""
        return Result([found for each in self.judged if (found := each.only(name))])


def prepared(sets: Mapping[str, data.Connection], only: Container[str] | None = None) -> tuple[Judge, queries.Models]:
    """The judge, and the queries whose changes it judges."""
    known = queries.schema(sets[data.DSDGEN])
    models = queries.models(sets, known, only)
    return Judge({name: Rows(each, models.open.get(name, ())) for name, each in sets.items()}, known), models


def rewrites_of(
    judge: Judge, models: dict[str, queries.exp.Query], number: int, chance: random.Random, tell: Tell = _nothing
) -> Result:
    """Judge this many rewrites. Raises AssertionError if one has other rows, because then it is no rewrite."""
    result = Result()
    if not number:
        return result
    for pair in pairs.rewritten(models, judge.known, chance):
        try:
            judged = judge.judge(pair)
        except NotExecutedError as error:
            result.left_out[f"{pair.what}: {str(error).partition(':')[0]}"] += 1
            continue
        if judged is None or not judged.same:
            raise AssertionError(f"the rewrite '{pair.what}' of query {pair.number} has other rows: a fault of it")
        result.judged.append(judged)
        tell(judged)
        if len(result.judged) == number:
            return result
    return result


def mutations_of(
    judge: Judge, models: dict[str, queries.exp.Query], number: int, chance: random.Random, tell: Tell = _nothing
) -> Result:
    """Judge this many mutations, as many of each kind, that have other rows."""
    result = Result()
    if not number:
        return result
    of_kind: Counter[str] = Counter()
    for pair in pairs.mutated(models, judge.known, chance):
        if of_kind[pair.kind] >= -(-number // len(mutations.KINDS)):
            continue
        try:
            judged = judge.judge(pair)
        except NotExecutedError as error:
            result.left_out[f"not executed: {str(error).partition(':')[0]}"] += 1
            continue
        if judged is None:
            result.left_out["the same rows in every set of data"] += 1
            continue
        of_kind[pair.kind] += 1
        result.judged.append(judged)
        tell(judged)
        if len(result.judged) >= number:
            return result
    return result


def _print(result: Result) -> None:
    by_what: dict[str, list[Judged]] = defaultdict(list)
    for each in result.judged:
        by_what[f"{each.pair.kind}: {each.pair.what}"].append(each)
    for what, found in sorted(by_what.items()):
        counts = [
            sum(len(getattr(each, name)) for each in found) for name in ("predicted", "differ", "missed", "equal")
        ]
        print(
            f"| {what} | {len(found)} | {sum(bool(each.change) for each in found)} | {' | '.join(map(str, counts))} |"
        )
    for why, count in result.left_out.most_common():
        print(f"left out: {count} ({why})")


def _alone(name: str, result: Result) -> str:
    ran = result.sum(lambda each: int(name in each.found))
    only = result.only(name)
    equal, predicted = only.sum(lambda each: len(each.equal)), only.sum(lambda each: len(each.predicted))
    return (
        f"by {name!r} alone: {len(only.judged)} of {ran} mutations count, {equal} of {predicted} predicted columns are "
        f"equal, {only.equal:.1%}"
    )


def _tell(each: Judged) -> None:
    """Say what was judged: the columns by name."""
    told = [
        f"{each.pair.kind}: {each.pair.what}, query {each.pair.number}",
        f"predicted {', '.join(each.predicted) or 'none'}",
        f"equal {', '.join(each.equal) or 'none'}",
        f"missed {', '.join(each.missed) or 'none'}",
        f"rows of the others {'the same' if each.joint else 'other'}",
    ]
    print("; ".join(told), file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.meaning")
    parser.add_argument("--rewrites", type=int, default=300)
    parser.add_argument("--mutations", type=int, default=300)
    parser.add_argument("--scale", default="0.3")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--all", action="store_true")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        judge, models = prepared(data.sets(asked.folder or Path(temporary), asked.scale))
    print(f"{len(models.queries)} queries on {len(judge.sets)} sets of data")
    for note, numbers in models.notes.items():
        print(f"{len(numbers)} {note}: {', '.join(numbers)}")
    for name, numbers in models.open.items():
        print(f"{len(numbers)} not run on {name!r}, because {queries.OPEN}: {', '.join(numbers)}")
    tell = _tell if asked.all else _nothing
    rewritten = rewrites_of(judge, models.queries, asked.rewrites, random.Random(asked.seed), tell)
    mutated = mutations_of(judge, models.queries, asked.mutations, random.Random(asked.seed), tell)
    print("\n| pairs | number | changed | predicted columns | differ | missed | equal |\n|---|---|---|---|---|---|---|")
    _print(rewritten)
    _print(mutated)
    no_patch = rewritten.sum(lambda each: int(each.change is not None))
    not_joint = mutated.sum(lambda each: int(not each.joint))
    print(f"\n{len(rewritten.judged)} rewrites: {no_patch} count as a change")
    print(f"{len(mutated.judged)} mutations: recall {mutated.recall:.4f}")
    print(f"{not_joint} mutations after which the unchanged columns have other rows")
    print(f"{mutated.equal:.1%} of the predicted columns are equal")
    for name in judge.sets:
        print(_alone(name, mutated))
    return int(bool(no_patch or not_joint) or mutated.recall < 1 or mutated.equal > MOST_EQUAL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
