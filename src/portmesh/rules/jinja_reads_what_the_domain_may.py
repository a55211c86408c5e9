"""PM204: a hook, and a statement that Jinja sends, is in no model's SQL, so that dbt's lineage has none of it."""

from __future__ import annotations

from collections.abc import Iterator

from portmesh.rules.checked_mesh import CheckedMesh
from portmesh.rules.domain_reads_through_ref import how_to_read, is_foreign, whose
from portmesh.rules.finding import Finding
from portmesh.rules.source_is_the_only_way_in import shortened
from portmesh.rules.texts import Text, is_unknown, texts_of, unexpected


def jinja_reads_what_the_domain_may(mesh: CheckedMesh) -> Iterator[Finding]:
    for text in texts_of(mesh):
        if not text.is_sent:
            continue
        tables, calls = unexpected(mesh, text)
        for name in tables:
            if is_foreign(mesh, text.node, name):
                shown = ".".join(name)
                yield _finding(mesh, text, f"reads {whose(mesh, name)}: {shown}", how_to_read(mesh, name), shown)
        for call in calls:
            shown = shortened(call)
            yield _finding(mesh, text, f"reads {shown}, which no source declares", "Declare it as a source", shown)
        is_of_node = text.node["resource_type"] != "macro"
        if is_of_node and any(is_unknown(name) for name in text.reads.tables):
            yield _finding(
                mesh,
                text,
                "reads a table whose name is known only when it runs",
                "Name the table with ref(), source() or this",
                "a table known only when it runs",
            )
        elif is_of_node and text.reads.problem:
            yield _finding(
                mesh,
                text,
                f"cannot be read: {text.reads.problem}",
                "Write it so that sqlglot can parse it, or remove it",
                "cannot be read",
            )


def _finding(mesh: CheckedMesh, text: Text, what: str, fix: str, about: str) -> Finding:
    line = mesh.line_of(text.file, about, "run_query", "call statement", "adapter.", "hook", "sql_header")
    sentence = f"{text.what[0].upper()}{text.what[1:]} {what}."
    return Finding("PM204", text.file, line, sentence, fix, text.node["unique_id"], about)
