"""The files of a new port: its staging model, its SQL and its YAML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from portmesh.mesh import docs_name
from portmesh.scaffold.new_port import Draft
from portmesh.scaffold.port_columns import PortColumn, in_groups
from portmesh.scaffold.proposals import Check
from portmesh.scaffold.rendering import render, yaml_text, yaml_value
from portmesh.scaffold.writing import write_all
from portmesh.scaffold.yaml_lists import with_item
from portmesh.text import count


def write_port(root: Path, draft: Draft) -> list[Path]:
    """Write the port's files: all of them, or none if one exists. Returns their paths."""
    texts = files_of(root, draft)
    write_all(texts, replace=[_models_file(root, draft)])
    return list(texts)


def _models_file(root: Path, draft: Draft) -> Path:
    domain = draft.request.domain
    return root / "domains" / domain / "models/staging" / f"_{domain}__models.yml"


def port_file(root: Path, draft: Draft) -> Path:
    """The port's SQL."""
    return root / "domains" / draft.request.domain / "models/output_ports" / f"{draft.request.port}.sql"


def files_of(root: Path, draft: Draft) -> dict[Path, str]:
    """The text of each file, by its path."""
    models = root / "domains" / draft.request.domain / "models"
    port = draft.request.port
    identifying = [name for names in draft.profile.keys.candidates for name in names]
    identifying += [r.columns[0] for r in draft.profile.references if len(r.columns) == 1 and r.holds]
    groups = in_groups(draft.columns, identifying)
    ordered = [column for group in groups for column in group]
    texts: dict[Path, str] = {}
    if draft.staging:
        texts[models / "staging" / f"{draft.staging}.sql"] = render(
            "staging.sql.jinja",
            source=draft.origin.source,
            table=draft.origin.table,
            newest_batch=draft.only_newest,
            groups=groups,
            last_group=groups[-1],
        )
        file = _models_file(root, draft)
        texts[file] = _with_model(root, file, draft.staging, _of_staging(draft))
    references = sorted(
        {str(read) for each in draft.proposals.checks for key in ("to", "of") if (read := each.arguments.get(key))}
    )
    read = draft.origin.reference or f"ref('{draft.staging}')"
    texts[port_file(root, draft)] = render(
        "port.sql.jinja",
        references=[f"{{{{ {each} }}}}" for each in references if each != read],
        rows="landed_rows" if draft.staging else "rows_read",
        model=f"{{{{ {read} }}}}",
        columns=[column.name for column in ordered],
    )
    texts[models / "output_ports" / f"{port}.yml"] = _yaml_of(draft, ordered)
    return texts


def _of_staging(draft: Draft) -> str:
    what = f"The rows of {draft.origin.label} with the names and types of the mesh"
    return what + (", from the newest batch." if draft.only_newest else ", from all landed batches.")


def _yaml_of(draft: Draft, columns: Sequence[PortColumn]) -> str:
    about = draft.proposals.about
    return render(
        "port.yml.jinja",
        test=_test,
        port=draft.request.port,
        origin=draft.origin.label,
        rows=count(draft.profile.rows, "row"),
        notes=[*draft.notes, *(f"no check for {each}" for each in draft.missing)],
        description=draft.description,
        page=docs_name(draft.request.domain, draft.request.port),
        classification=draft.request.classification,
        freshness=draft.freshness,
        consumers=list(draft.request.consumers.items()),
        table_checks=draft.proposals.of(""),
        columns=[
            {
                "name": column.name,
                "data_type": column.data_type,
                "description": draft.described(column),
                "notes": about.get(column.name, ()),
                "checks": draft.proposals.of(column.name),
            }
            for column in columns
        ],
    )


def _test(check: Check, indent: int) -> str:
    """A check as an entry of data_tests, with its figures in a comment."""
    space = " " * indent
    figures = f"  # {check.figures}" if check.figures else ""
    if not check.arguments:
        return f"{space}- {check.kind}{figures}"
    lines = [f"{space}- {check.kind}:{figures}"]
    if check.name:
        lines.append(f"{space}    name: {check.name}")
    return "\n".join([*lines, f"{space}    arguments: {yaml_value(dict(check.arguments))}"])


def _with_model(root: Path, file: Path, name: str, description: str) -> str:
    """The text of a file of models with one more; everything else in it stays as it is."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return with_item(root, file, text, ["models"], f"- name: {name}\n  description: {yaml_text(description)}\n")
