"""Finds what keeps the catalog's pages from being shown and has to be changed by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from portmesh.catalog.reading import FOLDER
from portmesh.errors import FindingsError, nearest
from portmesh.mesh import Mesh, Port, docs_name

HOME = "__overview__"


@dataclass(frozen=True)
class Finding:
    """A port or file, and what to do about it."""

    label: str
    path: str
    what: str


def find_findings(mesh: Mesh, asked: Mapping[str, str]) -> list[Finding]:
    """Ports that do not include their page, docs blocks that take the name of a page, and pages that do not exist.

    `asked` has the names of pages that YAML includes, each with its file. Raises FindingsError if two pages would have
    the same name.
    """
    pages = _names_of_pages(mesh)
    found = [*_hidden(mesh), *_replaced(mesh, pages), *_unknown(asked, pages)]
    return sorted(found, key=lambda finding: finding.label)


def _names_of_pages(mesh: Mesh) -> dict[str, str]:
    """The names of the docs blocks that are pages, each with a description of the page."""
    pages = {HOME: "the mesh's home page", docs_name("", mesh.name, ""): f"the page of {mesh.name}"}
    named = [(product.block, product.name) for product in mesh.products]
    named += [(port.block, port.label) for port in mesh.ports.values()]
    for block, name in named:
        if block in pages:
            message = f"The catalog cannot be written: the page of {name} and {pages[block]} would have the same name."
            raise FindingsError(message, [("docs block", block)], f"rename {name}")
        pages[block] = f"the page of {name}"
    return pages


def _hidden(mesh: Mesh) -> Iterator[Finding]:
    versions = Counter(_model(port) for port in mesh.ports.values())
    for port in mesh.ports.values():
        line, what = f"{{{{ doc('{port.block}') }}}}", "end its description with the line"
        if versions[_model(port)] > 1:  # dbt renders a version's own description too early, when it knows no pages
            line = f"{{% raw %}}{line}{{% endraw %}}"
            what = f"below `- v: {port.name.partition('.v')[2]}`, write its own description, which ends with the line"
        if not port.includes_block:
            yield Finding(port.label, port.path, f"{what}\n{line}")
        elif not port.description:
            yield Finding(port.label, port.path, f"describe what one row is, above the line\n{line}")
        elif not port.block_starts_a_line:
            yield Finding(port.label, port.path, f"put this on a line of its own, after an empty line:\n{line}")


def _model(port: Port) -> str:
    return port.label.partition(".v")[0]


def _replaced(mesh: Mesh, pages: Mapping[str, str]) -> Iterator[Finding]:
    """Docs blocks of the root project or of a domain that dbt would show instead of a page of the catalog."""
    for block in mesh.docs.values():
        package, path = block.package_name, Path(block.original_file_path)
        in_root = package == mesh.name
        if block.name not in pages or (in_root and path.is_relative_to(FOLDER)):
            continue
        if in_root or package in mesh.product_names:
            place = str(path if in_root else Path("domains") / package / path)
            whose = pages[block.name]
            yield Finding(place, place, f"rename its docs block {block.name}: that is the name of {whose}")


def _unknown(asked: Mapping[str, str], pages: Mapping[str, str]) -> Iterator[Finding]:
    for name, path in asked.items():
        if name not in pages:
            near = nearest(name, pages)
            yield Finding(path, path, f"there is no page doc('{name}')" + (f"; did you mean {near}?" if near else ""))
