"""Finds the repository's root and the lake folder of the local target."""

from __future__ import annotations

import os
from pathlib import Path

from portmesh.errors import UsageError

LAKE_VARIABLE = "PORTMESH_LAKE"
FOCUS_VARIABLE = "PORTMESH_FOCUS"
"""Names the one domain that dbt reads (decision 0039)."""
READ_BY_DBT = (".sql", ".yml", ".yaml", ".csv", ".md", ".py")


def find_root(start: Path | None = None, alternative: str = "") -> Path:
    """The nearest folder with a dbt_project.yml, from `start` upwards.

    Raises UsageError outside a dbt project; `alternative` adds to what that error says to do.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise UsageError(
        "This is not a mesh: neither this folder nor any folder above it has a dbt_project.yml.",
        [("where", str(start))],
        f"change to the repository of the mesh{alternative}",
    )


def target_folder(root: Path) -> Path:
    """The folder of dbt's own files: DBT_TARGET_PATH, else `target` in the repository's root."""
    return root / (os.environ.get("DBT_TARGET_PATH") or "target")


def lake_folder(option: Path | None = None) -> Path:
    """The folder of the lake: the `--lake` option, else PORTMESH_LAKE, else `.lake` in the repository's root.

    As in dbt, a relative PORTMESH_LAKE is relative to the repository's root.
    """
    if option:
        return option.expanduser().resolve()
    setting = Path(os.environ.get(LAKE_VARIABLE) or ".lake").expanduser()
    return setting if setting.is_absolute() else find_root(alternative=", or name the lake: --lake FOLDER") / setting


def old_packages(root: Path) -> list[str]:
    """Names of the domains whose copy in `dbt_packages` differs from the domain's current files.

    `dbt deps` links the domains, or copies them if it cannot create links.
    """
    packages = [
        package for package in sorted(root.glob("dbt_packages/*")) if (root / "domains" / package.name).is_dir()
    ]
    return [
        package.name
        for package in packages
        if not package.samefile(root / "domains" / package.name)
        and _read_by_dbt(package) != _read_by_dbt(root / "domains" / package.name)
    ]


def _read_by_dbt(folder: Path) -> dict[Path, bytes]:
    return {
        file.relative_to(folder): file.read_bytes()
        for file in folder.rglob("*")
        if file.suffix in READ_BY_DBT and file.is_file()
    }
