"""The repository that the tests belong to, as git sees it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.mesh import REPOSITORY


def git_files(*options: str) -> list[str]:
    """Paths in the repository that `git ls-files` lists with these options."""
    listed = subprocess.run(["git", "ls-files", *options], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def copy_repository(folder: Path) -> None:
    """Copies the current files, without what git ignores and without the environments."""
    for name in git_files("--cached", "--others", "--exclude-standard"):
        file = REPOSITORY / name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and not name.startswith(".venv"):
            shutil.copy(file, folder / name, follow_symlinks=False)
