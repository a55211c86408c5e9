"""What of a mesh keeps a reader from its pages, and only a person can change."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from portmesh.catalog.reading import FOLDER
from portmesh.errors import FindingsError
from portmesh.mesh import Mesh, docs_name

HOME = "__overview__"


@dataclass(frozen=True)
class Finding:
    """A port or file, and what to do about it."""

    label: str
    path: str
    what: str


def find_findings(mesh: Mesh, asked: Mapping[str, str]) -> list[Finding]:
    """Ports that do not show their page, docs blocks in the place of a page, and pages that nobody writes.

    `asked` are the names of pages that YAML includes, with the file. Raises FindingsError where two pages would be one.
    """
    pages = _names_of_pages(mesh)
    found = [*_hidden(mesh), *_replaced(mesh, pages), *_unknown(asked, pages)]
    return sorted(found, key=lambda finding: finding.label)


def _names_of_pages(mesh: Mesh) -> dict[str, str]:
    """Names of the docs blocks that are pages, and whose page each is."""
    pages = {HOME: "the mesh's home", docs_name("", mesh.name, ""): f"the page of {mesh.name}"}
    named = [(product.block, product.name) for product in mesh.products]
    named += [(port.block, port.label) for port in mesh.ports.values()]
    for block, name in named:
        if block in pages:
            message = f"The catalog cannot be written: the page of {name} would be {pages[block]}."
            raise FindingsError(message, [("docs block of both", block)], f"give {name} another name")
        pages[block] = f"the page of {name}"
    return pages


def _hidden(mesh: Mesh) -> Iterator[Finding]:
    for port in mesh.ports.values():
        line = f"{{{{ doc('{port.block}') }}}}"
        if not port.includes_block:
            yield Finding(port.label, port.path, f"end its description with the line\n{line}")
        elif not port.description:
            yield Finding(port.label, port.path, f"say what one row of it is, above\n{line}")
        elif not port.block_starts_a_line:
            yield Finding(port.label, port.path, f"put on a line of its own, after an empty one,\n{line}")


def _replaced(mesh: Mesh, pages: Mapping[str, str]) -> Iterator[Finding]:
    """dbt shows a block of any package as the home or as a product's page; a domain's own port would show its own."""
    for block in mesh.docs.values():
        package, path = block.package_name, Path(block.original_file_path)
        in_root = package == mesh.name
        if block.name not in pages or (in_root and path.is_relative_to(FOLDER)):
            continue
        if in_root or package in mesh.product_names:
            place = str(path if in_root else Path("domains") / package / path)
            whose = pages[block.name]
            yield Finding(place, place, f"give its docs block {block.name} another name: that is {whose}")


def _unknown(asked: Mapping[str, str], pages: Mapping[str, str]) -> Iterator[Finding]:
    for name, path in asked.items():
        if name not in pages:
            near = difflib.get_close_matches(name, pages, n=1)
            yield Finding(path, path, f"doc('{name}') is no page" + (f"; did you mean {near[0]}?" if near else ""))
