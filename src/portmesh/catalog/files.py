"""Writes the catalog's pages to disk, or compares them with what they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portmesh.catalog.findings import Finding
from portmesh.catalog.pages import undated
from portmesh.catalog.reading import FOLDER
from portmesh.errors import FindingsError
from portmesh.text import count


@dataclass(frozen=True)
class Difference:
    """A page that does not match the mesh. `what` is missing, out of date or left over."""

    path: str
    what: str


def read_readmes(root: Path) -> dict[str, str]:
    """The README texts by domain. Raises FindingsError if one is not UTF-8."""
    found = {}
    for path in sorted(root.glob("domains/*/README.md")):
        try:
            found[path.parent.name] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            facts = [("file", str(path.relative_to(root))), ("line", f"{line:,}")]
            raise FindingsError("A README is not encoded in UTF-8.", facts, "save it as UTF-8") from error
    return found


def find_differences(root: Path, pages: Mapping[str, str], on_any_day: bool = False) -> list[Difference]:
    """The files that writing these pages would change.

    `on_any_day` ignores notes that depend on the day on which a page was written.
    """
    as_compared = undated if on_any_day else str
    folder = root / FOLDER
    present = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.md")}
    found = []
    for name in sorted({*present, *pages}):
        if name not in present:
            found.append(Difference(f"{FOLDER}/{name}", "missing"))
        elif name not in pages:
            found.append(Difference(f"{FOLDER}/{name}", "left over"))
        elif as_compared(present[name]) != as_compared(pages[name]):
            found.append(Difference(f"{FOLDER}/{name}", "out of date"))
    return found


def write_pages(root: Path, pages: Mapping[str, str], differences: Sequence[Difference]) -> None:
    """Write the pages that differ, each in one step, and delete the ones left over."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for difference in differences:
        path = root / difference.path
        if path.name in pages:
            part = path.with_suffix(".part")
            part.write_text(pages[path.name], encoding="utf-8")
            part.replace(path)
        else:
            path.unlink()


def assert_up_to_date(differences: Sequence[Difference], findings: Sequence[Finding]) -> None:
    """Raise FindingsError if a page differs or something must be changed by hand."""
    if not differences and not findings:
        return
    number = count(len(differences) + len(findings), "finding")
    facts = [(difference.path, difference.what) for difference in differences]
    facts += [(finding.label, finding.what) for finding in findings]
    steps = (["portmesh catalog"] if differences else []) + (["fix the lines above"] if findings else [])
    raise FindingsError(
        f"The catalog is out of date: {number}.",
        facts,
        f"{', then '.join(steps)}, and commit the files",
        {
            "pages": {difference.path: difference.what for difference in differences},
            "files": {finding.path: finding.what for finding in findings},
        },
    )
