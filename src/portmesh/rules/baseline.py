"""The findings that an old mesh had when it took the rules up: they are known, and only new ones count."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from portmesh.errors import MissingArtifactError, UsageError
from portmesh.rules.finding import Finding

DEFAULT = "check-baseline.json"


class Entry(BaseModel):
    """A finding that is known. `what` is only for people: the text as it was when the baseline was written."""

    model_config = ConfigDict(frozen=True)

    code: str
    node: str
    about: str = ""
    what: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.code, self.node, self.about


class Baseline(BaseModel):
    """The file. Its findings are in order, so that a change of it can be read."""

    findings: list[Entry] = []


@dataclass(frozen=True)
class Compared:
    """Findings that are new, how many are in the baseline, and the entries that no finding has any more."""

    new: tuple[Finding, ...]
    known: int
    gone: tuple[Entry, ...]


def read_baseline(root: Path, named: str | None) -> Baseline:
    """The baseline of a file; without a name, that of check-baseline.json, which need not exist.

    Raises MissingArtifactError if the named file does not exist, and UsageError if it is no baseline.
    """
    file = Path(named) if named else root / DEFAULT
    if not file.is_file():
        if named:
            raise MissingArtifactError(
                f"There is no baseline {named}.", next_step=f"portmesh check --baseline {named} --write-baseline"
            )
        return Baseline()
    try:
        return Baseline.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = f"{place}: {first['msg']}" if place else first["msg"]
        facts = [
            ("file", str(file)),
            ("got", said),
            ("allowed", '{"findings": [{"code", "node", "about", "what"}, …]}'),
        ]
        raise UsageError("The baseline cannot be read.", facts, "portmesh check --write-baseline") from error


def write_baseline(root: Path, named: str | None, findings: Iterable[Finding]) -> Path:
    """Write all findings into the file. Returns its path."""
    file = Path(named) if named else root / DEFAULT
    entries = [Entry(code=each.code, node=each.node, about=each.about, what=each.what) for each in findings]
    listed = [entry.model_dump() for entry in sorted(entries, key=lambda entry: entry.key)]
    file.write_text(json.dumps({"findings": listed}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def compare(findings: Sequence[Finding], baseline: Baseline) -> Compared:
    known, found = {entry.key for entry in baseline.findings}, {finding.key for finding in findings}
    new = tuple(finding for finding in findings if finding.key not in known)
    return Compared(
        new, len(findings) - len(new), tuple(entry for entry in baseline.findings if entry.key not in found)
    )
