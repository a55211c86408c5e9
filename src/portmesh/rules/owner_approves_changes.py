"""PM209: GitHub asks whom CODEOWNERS names, and consumers trust whom the product names: they must be the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from portmesh.rules.checked_mesh import CheckedMesh
from portmesh.rules.finding import Finding

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order. It reads only the first file that exists."""


@dataclass(frozen=True, eq=False)
class Line:
    """One line of CODEOWNERS: the files it is about, and whom it names."""

    number: int
    files: GitIgnoreSpec
    owners: tuple[str, ...]


def owner_approves_changes(mesh: CheckedMesh) -> Iterator[Finding]:
    place = next((place for place in PLACES if (mesh.root / place).is_file()), "")
    if not place:
        return
    lines = read_lines((mesh.root / place).read_text(encoding="utf-8"))
    files: dict[str, set[str]] = {}
    for node in mesh.of_domains("model", "group", "snapshot", "seed", "source"):
        files.setdefault(node["package_name"], set()).update((mesh.file_of(node), mesh.yaml_of(node)))
    for domain, group in sorted(mesh.products.items()):
        handle = str((group.get("owner") or {}).get("github") or "")
        if not handle:
            continue
        found: dict[Line | None, list[str]] = {}
        for file in sorted(files.get(domain, ())):
            line = line_of(lines, file)
            if line is None or handle.lower() not in {owner.lower() for owner in line.owners}:
                found.setdefault(line, []).append(file)
        for line, of_line in found.items():
            named = " and ".join(line.owners) if line and line.owners else "nobody"
            more = f" and {len(of_line) - 1:,} more" if len(of_line) > 1 else ""
            yield Finding(
                "PM209",
                place,
                line.number if line else 0,
                f"{handle} owns {domain}, but {place} names {named} for {of_line[0]}{more}.",
                "Run portmesh register, and let no later line match the files of the domain",
                group["unique_id"],
                f"{handle}: {named}",
            )


def read_lines(text: str) -> list[Line]:
    """The lines of a CODEOWNERS file that name files."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.partition("#")[0].split()
        if parts:
            found.append(Line(number, GitIgnoreSpec.from_lines(parts[:1]), tuple(parts[1:])))
    return found


def line_of(lines: list[Line], file: str) -> Line | None:
    """The last line that matches a file, which is the one that counts."""
    return next((line for line in reversed(lines) if line.files.match_file(file)), None)
