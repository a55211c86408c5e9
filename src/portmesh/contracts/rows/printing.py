"""Writes a comparison of rows for people: as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portmesh.contracts.diff.printing import literal
from portmesh.contracts.rows.comparison import ColumnRows, Example, PortRows, Rows
from portmesh.text import count, facts_block, printable

LONGEST = 40
"""The most characters of a value in an example."""
Facts = list[tuple[str, str]]


def as_text(rows: Rows) -> str:
    """All ports, those with differences in detail."""
    blocks = [f"{_heading(port)}\n\n{facts_block(_facts(port, rows))}" for port in rows.ports if not port.is_same]
    same = [port for port in rows.ports if port.is_same]
    if same:
        blocks.append("\n".join(f"{port.port}: the same {count(port.rows_now, 'row')}." for port in same))
    return "\n\n".join([f"Rows published, and in {rows.environment} ({rows.target}):", *blocks])


def as_markdown(rows: Rows) -> str:
    """The same as Markdown, in which text of the mesh's data cannot be markup."""
    lines = [f"#### Rows published, and in {literal(rows.environment)}", ""]
    for port in rows.ports:
        if port.is_same:
            lines.append(f"- **{literal(port.port)}**: the same {count(port.rows_now, 'row')}")
            continue
        lines.append(f"- **{literal(port.port)}**{literal(_heading(port).removeprefix(port.port))}")
        for label, value in _facts(port, rows):
            lines.append(f"  - {literal(label)}: {'<br>'.join(literal(line) for line in value.splitlines())}")
    return "\n".join(lines) + "\n"


def _heading(port: PortRows) -> str:
    match port.state:
        case "not built":
            return f"{port.port}: not built here, so its rows were not compared."
        case "not published":
            return f"{port.port}: nothing is published yet."
        case "no common column":
            return f"{port.port}: no column has kept its name, so no rows were compared."
    if not port.is_key_unique:
        return f"{port.port}: its rows were not paired, because the key is not unique."
    if port.changed is None:
        return f"{port.port}: {count(port.gone, 'row')} gone, {port.added:,} added ({_sides(port)})."
    pairs = port.rows_before - port.gone
    return f"{port.port}: {port.changed:,} of {count(pairs, 'row')} changed, {port.added:,} added, {port.gone:,} gone."


def _sides(port: PortRows) -> str:
    return f"{count(port.rows_before, 'row')} published, {port.rows_now:,} here"


def _facts(port: PortRows, rows: Rows) -> Facts:
    facts: Facts = []
    if port.state == "not built":
        facts.append(("next", f"PORTMESH_ENVIRONMENT={rows.environment} dbt build --select +{_model(port)}"))
    if port.state == "not published":
        facts.append(("where", f"production's tables on {rows.target}"))
    if port.state == "compared":
        facts += _of_pairing(port)
    facts += [("column gone", name) for name in port.only_before] + [("column new", name) for name in port.only_now]
    if port.state == "compared" and port.is_key_unique:
        facts += [
            (f"column {one.name}", "\n".join(_of_column(one, port, rows))) for one in port.columns if _is_told(one)
        ]
    return facts


def _model(port: PortRows) -> str:
    name, _, version = port.port.partition(".")[2].partition(".v")
    return f"{name}.v{version}" if version else name


def _of_pairing(port: PortRows) -> Facts:
    if not port.key:
        found = [("key", "none, so whole rows were counted: a changed row is one gone and one added")]
        names = [column.name for column in port.columns]
    else:
        found, names = [("key", ", ".join(port.key))], port.key
    if not port.is_key_unique:
        return [*found, ("rows", _sides(port)), ("next", "give the port a key that its checks prove (unique)")]
    for label, number, examples in (
        ("gone", port.gone, port.examples_gone),
        ("added", port.added, port.examples_added),
    ):
        if number:
            found.append((label, "\n".join([count(number, "row"), *(_named(one, names, port) for one in examples)])))
    return found


def _named(example: Example, names: Sequence[str], port: PortRows) -> str:
    hidden = {*port.hidden_key, *(column.name for column in port.columns if column.hidden)}
    shown = [f"{name} {_value(value)}" for name, value in zip(names, example.key, strict=True) if name not in hidden]
    return ", ".join(shown) or "(its values are not shown)"


def _is_told(column: ColumnRows) -> bool:
    return bool(column.differ) or column.type_before != column.type_now


def _of_column(column: ColumnRows, port: PortRows, rows: Rows) -> Iterator[str]:
    if column.type_before != column.type_now:
        how = ", compared as text" if column.as_text else ""
        yield f"{column.type_before} → {column.type_now}{how}"
    if column.differ is not None:
        pairs = port.rows_before - port.gone
        near = f", by more than {rows.tolerance:g} of the value" if rows.tolerance and _is_double(column) else ""
        share = f" ({_share(column.differ, pairs)})" if column.differ else ""
        yield f"{column.differ:,} of {count(pairs, 'row')} differ{share}{near}"
    if column.hidden and column.differ:
        yield f"{column.hidden}: its values are not shown"
        return
    for one in column.examples:
        where = _named(one, port.key, port)
        yield f"{_value(one.before)} → {_value(one.now)}   ({where})"


def _is_double(column: ColumnRows) -> bool:
    return "double" in (column.type_before, column.type_now)


def _value(value: str | None) -> str:
    return "''" if value == "" else printable(value, LONGEST)


def _share(part: int, whole: int) -> str:
    share = 100 * part / whole
    return "less than 0.01 %" if share < 0.01 else f"{share:,.2f} %"
