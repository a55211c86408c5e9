"""The catalog's pages on disk: written, or compared with what they should be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portmesh.errors import FindingsError
from portmesh.mesh import Mesh, Port
from portmesh.text import count

FOLDER = Path("docs/catalog")


@dataclass(frozen=True)
class Difference:
    """A page that is not what the mesh makes it; `what` is missing, out of date or left over."""

    path: str
    what: str


def read_readmes(root: Path) -> dict[str, str]:
    """The README of each domain that has one."""
    return {path.parent.name: path.read_text(encoding="utf-8") for path in sorted(root.glob("domains/*/README.md"))}


def find_differences(root: Path, pages: Mapping[str, str]) -> list[Difference]:
    """What writing these pages would change, by path from the repository's root."""
    folder = root / FOLDER
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    found = []
    for name in sorted({*present, *pages}):
        if name not in present:
            found.append(Difference(f"{FOLDER}/{name}", "missing"))
        elif name not in pages:
            found.append(Difference(f"{FOLDER}/{name}", "left over"))
        elif present[name] != pages[name]:
            found.append(Difference(f"{FOLDER}/{name}", "out of date"))
    return found


def write_pages(root: Path, pages: Mapping[str, str], differences: Sequence[Difference]) -> None:
    """Write the pages that differ and delete those left over; an unchanged file keeps its time."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for difference in differences:
        path = root / difference.path
        if path.name in pages:
            path.write_text(pages[path.name], encoding="utf-8")
        else:
            path.unlink()


def find_hidden_pages(mesh: Mesh) -> list[tuple[Port, str]]:
    """Ports whose description does not show their page well, and what to do about each."""
    found = []
    for port in mesh.ports.values():
        line = f"{{{{ doc('{port.block}') }}}}"
        if not port.includes_block:
            found.append((port, f"end its description with the line\n{line}"))
        elif not port.description:
            found.append((port, f"say what one row of it is, above\n{line}"))
        elif not port.block_starts_a_line:
            found.append((port, f"put on a line of its own, after an empty one,\n{line}"))
    return sorted(found, key=lambda item: item[0].label)


def assert_in_step(mesh: Mesh, differences: Sequence[Difference]) -> None:
    """Raise FindingsError with each page that differs and each port that does not show its own."""
    hidden = find_hidden_pages(mesh)
    if not differences and not hidden:
        return
    number = count(len(differences) + len(hidden), "finding")
    message = f"The catalog is not in step with the mesh: {number}."
    facts = [(difference.path, difference.what) for difference in differences]
    facts += [(port.label, what) for port, what in hidden]
    steps = (["portmesh catalog"] if differences else []) + (["the lines above"] if hidden else [])
    raise FindingsError(
        message,
        facts,
        f"{', then '.join(steps)}, and commit the files",
        {
            "pages": {difference.path: difference.what for difference in differences},
            "ports": {port.path: what for port, what in hidden},
        },
    )


def assert_pages_exist(root: Path) -> None:
    """Raise FindingsError where a port's YAML includes a page that nobody wrote: dbt could not read the mesh."""
    missing = _missing_blocks(root)
    if missing:
        message = f"dbt cannot read the mesh: the catalog has no page yet for {', '.join(missing)}."
        raise FindingsError(message, next_step="portmesh catalog, and commit the files")


@contextmanager
def placeholders(root: Path) -> Iterator[None]:
    """While it holds, each page that a port's YAML includes exists, be it empty, so that dbt can read the mesh.

    Without it a new port whose YAML has its `{{ doc('…') }}` already could not be read, nor so its page be written.
    """
    missing = _missing_blocks(root)
    file = root / FOLDER / "_placeholders.md"
    if not missing:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    blocks = [f"{{% docs {name} %}}\nTo be written.\n{{% enddocs %}}\n" for name in missing]
    file.write_text("\n".join(blocks), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink()


def _missing_blocks(root: Path) -> list[str]:
    """Names of docs blocks that the domains' YAML asks for as pages of ports, and no page has."""
    asked = {
        name
        for path in root.glob("domains/*/models/**/*.yml")
        for name in re.findall(r"{{\s*doc\(\s*['\"](\w+)['\"]\s*\)\s*}}", path.read_text(encoding="utf-8"))
        if name.startswith(f"{path.relative_to(root).parts[1]}__")
    }
    present = {
        name
        for path in (root / FOLDER).glob("*.md")
        for name in re.findall(r"{%-?\s*docs\s+(\w+)\s*-?%}", path.read_text(encoding="utf-8"))
    }
    return sorted(asked - present)
