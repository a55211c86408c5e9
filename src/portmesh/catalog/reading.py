"""Parses the mesh without the catalog's pages, so that a broken page never prevents generating it again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from portmesh.mesh import docs_name

Parsed = TypeVar("Parsed")

FOLDER = Path("docs/catalog")
# dbt writes these; the parse in the temporary folder writes its own.
WRITTEN_BY_DBT = ("target", "logs")
ASKED = re.compile(r"\bdoc\(\s*(?:['\"]\w+['\"]\s*,\s*)?['\"](\w+)['\"]\s*\)")
DEFINED = re.compile(r"{%-?\s*docs\s+(\w+)")


def parse_without_pages(root: Path, parse: Callable[..., Parsed], folder: Path | None = None) -> Parsed:
    """The result of `parse` (of portmesh.dbt), with a blank page for each page that a domain's YAML includes.

    Uses a temporary folder, or `folder`, which is kept so that the next parse reads only the files that changed.

    Raises FindingsError with dbt's own message if dbt cannot parse another file.
    """
    with TemporaryDirectory(prefix="portmesh-catalog-") as temporary:
        copy = _link_mesh(root, folder or Path(temporary))
        pages = copy / FOLDER
        pages.mkdir(parents=True)
        blank = [f"{{% docs {name} %}}\nThe page {name}.\n{{% enddocs %}}\n" for name in pages_asked_for(root)]
        (pages / "blank.md").write_text("\n".join(blank), encoding="utf-8")
        return parse(
            *("--project-dir", str(copy)), *("--target-path", str(copy / "target")), *("--log-path", str(copy / "logs"))
        )


def pages_asked_for(root: Path) -> Mapping[str, str]:
    """Docs blocks that YAML includes, that are named after a domain and not defined by it; each with a file."""
    asked = _found(root, ASKED, "domains/**/*.yml", "domains/**/*.yaml")
    pages: dict[str, str] = {}
    for domain in sorted(path.parent.name for path in root.glob("domains/*/dbt_project.yml")):
        own = _found(root, DEFINED, f"domains/{domain}/**/*.md")
        of_domain = [name for name in asked if name.startswith(docs_name(domain, "")) and name not in own]
        pages |= {name: asked[name] for name in of_domain}
    return pages


def _found(root: Path, pattern: re.Pattern[str], *places: str) -> dict[str, str]:
    """Everything that a pattern matches in files, each with the first file that has it."""
    found: dict[str, str] = {}
    for path in sorted(path for place in places for path in root.glob(place) if path.is_file()):
        for name in pattern.findall(path.read_text(encoding="utf-8", errors="replace")):
            found.setdefault(name, str(path.relative_to(root)))
    return found


def _link_mesh(root: Path, copy: Path) -> Path:
    """Fill a folder with links to everything in the mesh, except the catalog's pages and what dbt writes."""
    copy.mkdir(parents=True, exist_ok=True)
    for entry in copy.iterdir():
        if entry.is_symlink():
            entry.unlink()
        elif entry.name not in WRITTEN_BY_DBT:
            shutil.rmtree(entry)
    _link(root, copy, FOLDER.parts)
    return copy


def _link(here: Path, there: Path, way: tuple[str, ...]) -> None:
    """Link the contents of a folder, except what dbt writes and the folder at the path `way`."""
    first, *rest = way
    for entry in here.iterdir():
        if entry.name not in (first, *WRITTEN_BY_DBT):
            (there / entry.name).symlink_to(entry)
        elif rest and entry.name == first:
            (there / entry.name).mkdir()
            _link(entry, there / entry.name, tuple(rest))
