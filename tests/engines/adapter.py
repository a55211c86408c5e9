"""The mesh of tests/features without one of the macros that override an adapter's own.

A test of an override builds this mesh and expects the adapter's bug. When that test fails, the adapter has been
fixed: remove the macro and its test.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tests.mesh import REPOSITORY, Mesh


@contextmanager
def left_to_the_adapter(mesh: Mesh, engine: str, *names: str) -> Iterator[None]:
    """While this is open, the mesh has the repository's macros except these overrides."""
    macros = mesh.folder / "macros"
    macros.unlink()
    shutil.copytree(REPOSITORY / "macros", macros)
    paths = sorted((macros / "engines" / engine).glob("adapter*.sql"))
    for name in names:
        pattern = re.compile(rf"(?s)\{{% (macro|materialization) {name}\b.*?\{{%-? end\1 -?%\}}")
        (path,) = (path for path in paths if pattern.search(path.read_text()))
        path.write_text(pattern.sub("", path.read_text()))
    try:
        yield
    finally:
        shutil.rmtree(macros)
        macros.symlink_to(REPOSITORY / "macros")
