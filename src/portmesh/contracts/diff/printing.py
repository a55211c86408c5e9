"""Prints what a change does: as tables for people, as Markdown for a pull request, as facts for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from portmesh.contracts.diff.compare import PortChange
from portmesh.contracts.diff.difference import Difference
from portmesh.contracts.diff.readers import ADAPTED, FURTHER, REACHED, SAFE, ReachedNode, Reader
from portmesh.contracts.diff.report import PortReport, Problem, Report
from portmesh.output import table
from portmesh.text import count, facts_block, printable

MARK = "<!-- portmesh diff -->"
"""The first line of the Markdown, by which a workflow finds its own comment again."""
STATES = {
    REACHED: "reached",
    ADAPTED: "reached, and adapted here",
    FURTHER: "reached further down",
    SAFE: "not reached",
}
SHOWN_COLUMNS, SHOWN_NODES = 6, 12


def first_line(report: Report) -> str:
    """What the change means for consumers, in a sentence."""
    if not report.ports:
        return f"No contract changes, and every port means the same as in {report.before}."
    verb = "changes" if len(report.ports) == 1 else "change"
    changed = f"{len(report.ports)} of {count(report.number_of_ports, 'port')} {verb}"
    reached = sorted({one.name for port in report.ports for one in port.readers if _is_broken(port, one)})
    what = f"{changed}, compared with {report.before}"
    if report.misspelt:
        return f"{what}. Changed SQL reads a column that does not exist: whom it reaches is known when it can run."
    return (
        f"{what}. It reaches {', '.join(reached)}."
        if reached
        else f"{what}. No consumer is reached by a breaking change."
    )


def _is_broken(port: PortReport, reader: Reader) -> bool:
    breaks = any(one.breaks for one in port.change.differences)
    return breaks and reader.state != SAFE


def heading(change: PortChange) -> str:
    """`orders.order_lines: major, 1.0.0 to 2.0.0`."""
    before, now = change.version_before, change.version
    version = f", {before} to {now}" if before and now and before != now else f", {before or now}"
    return f"{change.label}: {change.verdict}{version if before or now else ''}"


def readers_in_words(port: PortReport) -> Iterator[tuple[str, str, str]]:
    """(state, name, what) of each reader."""
    agreed = {one.consumer: one for one in port.agreed}
    for one in sorted(port.readers, key=lambda reader: (list(STATES).index(reader.state), reader.name)):
        consent = f"; agreed by {agreed[one.name].by} on {agreed[one.name].on}" if one.name in agreed else ""
        yield STATES[one.state], one.name, one.why + consent


def node_in_words(node: ReachedNode) -> str:
    """`orders.int_orders__totals (all columns)`."""
    if node.kind in ("test", "exposure"):
        return f"{node.kind} {node.name}"
    shown = ", ".join(node.columns[:SHOWN_COLUMNS])
    more = f" and {len(node.columns) - SHOWN_COLUMNS} more" if len(node.columns) > SHOWN_COLUMNS else ""
    return f"{node.name} ({'its rows' if node.rows else shown + more})"


def print_report(report: Report, out: Console) -> None:
    """Everything that people need, on a terminal."""
    out.print(printable(first_line(report)), markup=False, soft_wrap=True)
    for port in report.ports:
        out.print(f"\n{printable(heading(port.change))}\n", markup=False, soft_wrap=True)
        rows = [(one.code, one.level, one.about, one.text) for one in port.change.differences]
        if rows:
            out.print(table(("rule", "level", "about", "what"), rows, gap=2))
        if port.readers:
            out.print("")
            out.print(
                table(
                    ("consumer", "", "why"), [(name, state, why) for state, name, why in readers_in_words(port)], gap=2
                )
            )
        if nodes := _nodes(port.readers):
            out.print(f"\n{facts_block([('reads it', chr(10).join(nodes))])}", markup=False, soft_wrap=True)
    if report.ports:
        code = next((one.code for port in report.ports for one in port.change.differences), "PM391")
        out.print(f"\nWhy a rule judges so: portmesh check --explain {code}", markup=False)
    if report.problems:
        out.print("\nBefore it can land:", markup=False)
    for problem in report.problems:
        facts = [("file", problem.file), *_ways(problem)]
        out.print(f"\n{problem.code}  {printable(problem.text)}\n\n{facts_block(facts)}", markup=False, soft_wrap=True)


def _nodes(readers: Sequence[Reader]) -> list[str]:
    """What is reached, for people. A pull request's comment has no room for everything; JSON has."""
    reached = [reader for reader in readers if reader.state != SAFE]
    found = list(dict.fromkeys(node_in_words(node) for reader in reached for node in reader.nodes))
    more = [f"and {len(found) - SHOWN_NODES} more"] if len(found) > SHOWN_NODES else []
    return [*found[:SHOWN_NODES], *more]


def _ways(problem: Problem) -> list[tuple[str, str]]:
    labels = ["next", *(["or"] * (len(problem.ways) - 1))]
    return list(zip(labels, problem.ways, strict=True))


def as_markdown(report: Report) -> str:
    """A comment for a pull request. Nothing from the mesh is read as Markdown, HTML or the mention of a person."""
    verdict = report.verdict if report.ports else "no change"
    lines = [MARK, f"### Contracts: {verdict}", "", literal(first_line(report)), ""]
    for problem in report.problems:
        ways = [f"  - {label}: {_lines(way)}" for label, way in _ways(problem)]
        lines += [f"- **{problem.code}** {literal(problem.text)}", f"  - file: {literal(problem.file)}", *ways]
    lines += [""] if report.problems else []
    for port in report.ports:
        is_open = " open" if port.problems else ""
        lines += [f"<details{is_open}><summary>{literal(heading(port.change))}</summary>", ""]
        rows = [(one.code, one.level, one.about, one.text) for one in port.change.differences]
        lines += _table(("rule", "level", "about", "what"), rows)
        readers = [(name, state, why) for state, name, why in readers_in_words(port)]
        lines += _table(("consumer", "", "why"), readers) if readers else []
        nodes = _nodes(port.readers)
        lines += [*(f"- {literal(node)}" for node in nodes), ""] if nodes else []
        lines += ["</details>", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [f"| {' | '.join(map(literal, row))} |" for row in rows]
    return [f"| {' | '.join(headers)} |", f"|{'---|' * len(headers)}", *cells, ""]


def _lines(text: str) -> str:
    return "<br>".join(literal(line) for line in text.split("\n"))


def literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"&#{ord(c)};" if c in r"\`*_[]<>&|@#~!{}" else c for c in printable(text))


def as_facts(report: Report) -> dict[str, Any]:
    """The same facts for programs."""
    return {
        "against": report.before,
        "compared": report.after,
        "verdict": report.verdict,
        "ports": [_port_facts(port) for port in report.ports],
        "problems": [_problem_facts(problem) for problem in report.problems],
    }


def _port_facts(port: PortReport) -> dict[str, Any]:
    change = port.change
    return {
        "port": change.label,
        "was": change.before.label if change.before else None,
        "verdict": change.verdict,
        "version_before": change.version_before or None,
        "version": change.version or None,
        "version_asked_for": change.version_asked_for or None,
        "differences": [_difference_facts(one) for one in change.differences],
        "consumers": [_reader_facts(one) for one in port.readers],
        "agreements": [{"consumer": one.consumer, "by": one.by, "on": one.on, "file": one.file} for one in port.agreed],
    }


def _difference_facts(one: Difference) -> dict[str, Any]:
    return {"rule": one.code, "level": one.level, "about": one.about or None, "columns": one.columns, "text": one.text}


def _reader_facts(one: Reader) -> dict[str, Any]:
    nodes = [{"name": node.name, "kind": node.kind, "columns": node.columns, "rows": node.rows} for node in one.nodes]
    return {"name": one.name, "kind": one.kind, "state": one.state, "why": one.why, "nodes": nodes}


def _problem_facts(one: Problem) -> dict[str, Any]:
    return {"rule": one.code, "port": one.port, "text": one.text, "file": one.file, "ways": one.ways}
