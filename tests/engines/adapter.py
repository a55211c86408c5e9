"""The mesh of tests/features without one of the macros that mend an adapter.

A test of an override builds it so and expects the adapter's own fault. The day that test fails, the adapter has been
mended: remove the macro and its test.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tests.mesh import REPOSITORY, Mesh


@contextmanager
def left_to_the_adapter(mesh: Mesh, file: str, *names: str) -> Iterator[None]:
    """Meanwhile, the mesh has the repository's macros, but not these of an adapter's file."""
    macros = mesh.folder / "macros"
    macros.unlink()
    shutil.copytree(REPOSITORY / "macros", macros)
    path = macros / "engines" / file
    text = path.read_text()
    for name in names:
        text, removed = re.subn(rf"(?s)\{{% (macro|materialization) {name}\b.*?\{{%-? end\1 -?%\}}", "", text)
        assert removed == 1, f"{name} is not in {path}"
    path.write_text(text)
    try:
        yield
    finally:
        shutil.rmtree(macros)
        macros.symlink_to(REPOSITORY / "macros")
