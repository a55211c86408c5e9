"""Where the mesh is: the repository's root and the lake folder of the local target."""

from __future__ import annotations

import os
from pathlib import Path

from portmesh.errors import UsageError

LAKE_VARIABLE = "PORTMESH_LAKE"


def find_root(start: Path | None = None) -> Path:
    """The nearest folder at or above `start` with a dbt_project.yml, as dbt itself looks for it.

    Raises UsageError outside a dbt project.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise UsageError(
        "This is no mesh: neither this folder nor one above it has a dbt_project.yml.",
        [("where", str(start))],
        "change into the repository, or name the lake: --lake FOLDER",
    )


def lake_folder(option: Path | None = None) -> Path:
    """The lake: the `--lake` option, else PORTMESH_LAKE, else `.lake` in the repository's root.

    As in dbt, a relative PORTMESH_LAKE starts at the repository's root.
    """
    if option:
        return option.expanduser().resolve()
    setting = Path(os.environ.get(LAKE_VARIABLE) or ".lake").expanduser()
    return setting if setting.is_absolute() else find_root() / setting
