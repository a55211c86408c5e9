"""Findings for people, for GitHub and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from portmesh.rules.baseline import Compared
from portmesh.rules.finding import Finding
from portmesh.text import count, printable

WIDTH = 93
INDENT = " " * 7


def as_text(compared: Compared, name: str) -> str:
    """All findings as the rules inside dbt print theirs, and what became of the baseline."""
    parts = [f"{count(len(compared.new), 'finding')} in {name}." if compared.new else f"No findings in {name}."]
    parts += [_block(finding) for finding in compared.new]
    if compared.known:
        are = "is" if compared.known == 1 else "are"
        parts.append(f"{count(compared.known, 'more finding')} {are} in the baseline.")
    if compared.gone:
        none = "of the baseline no longer applies" if len(compared.gone) == 1 else "of the baseline no longer apply"
        lines = [f"  {entry.code}  {printable(entry.what or entry.about or entry.node)}" for entry in compared.gone]
        last = "  next   portmesh check --write-baseline"
        entries = count(len(compared.gone), "entry", "entries")
        parts.append("\n".join([f"{entries} {none}:", *lines, last]))
    return "\n\n".join(parts)


def _block(finding: Finding) -> str:
    what = wrap(printable(finding.what), WIDTH, break_long_words=False, break_on_hyphens=False)
    fix = wrap(f"{printable(finding.fix)}:  {finding.page}", WIDTH, break_long_words=False, break_on_hyphens=False)
    first, *others = what
    return "\n".join([f"{finding.code}  {first}", *(INDENT + line for line in (*others, finding.place, *fix))])


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
    """
    lines = []
    for finding in findings:
        place = f"file={_property(finding.where)},line={max(finding.line, 1)},title={finding.code}"
        text = _message(f"{finding.what}\n{finding.fix}: {finding.page}")
        lines.append(f"::error {place}::{text}")
    return "\n".join(lines)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def as_facts(compared: Compared, name: str) -> dict[str, Any]:
    """The same for programs."""
    return {
        "state": name,
        "findings": [
            {
                "code": finding.code,
                "what": finding.what,
                "fix": finding.fix,
                "file": finding.where,
                "line": finding.line or None,
                "node": finding.node,
                "about": finding.about,
                "page": finding.page,
            }
            for finding in compared.new
        ],
        "in_baseline": compared.known,
        "gone_from_baseline": [entry.model_dump() for entry in compared.gone],
    }
