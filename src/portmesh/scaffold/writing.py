"""Writes several files of the mesh: all of them, or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from portmesh.errors import UsageError

STAGED = ".part"
"""The suffix of what is not in its place yet: `.finance.part`. Neither dbt nor git reads it."""


def write_all(files: Mapping[Path, str], replace: bool | Collection[Path] = False) -> None:
    """Write these files, with the folders they need. If one of them cannot be written, none is.

    Everything is written beside its place first and then moved there; a folder that is new is moved as one. With
    `replace` existing files are replaced: all, or only those named.

    Raises UsageError, before anything is written, if a file exists that is not to be replaced or if a folder or file is
    in the way, and if the system does not allow to write.
    """
    paths = {Path(path).absolute(): text for path, text in files.items()}
    may_replace = set(paths) if replace is True else {Path(path).absolute() for path in replace or ()}
    with _told_plainly():
        _assert_free(paths, may_replace)
        staged: dict[Path, Path] = {}
        try:
            for path, text in paths.items():
                _stage(path, text, staged)
            _move(staged)
        finally:
            for place in staged.values():
                _remove(place)


def _assert_free(paths: Iterable[Path], may_replace: Collection[Path]) -> None:
    for path in paths:
        for folder in path.parents:
            if folder.exists() and not folder.is_dir():
                raise _refused(f"{folder.name} is a file, so nothing can be written in it.", [folder])
    if folders := [path for path in paths if path.is_dir()]:
        raise _refused("A folder has the name of a file that is to be written.", folders)
    if existing := [path for path in paths if os.path.lexists(path) and path not in may_replace]:
        what = "This file exists" if len(existing) == 1 else "These files exist"
        raise _refused(f"{what} already.", existing)


def _refused(what: str, where: Iterable[Path]) -> UsageError:
    facts = [("where", "\n".join(shown(path) for path in where)), ("written", "nothing")]
    return UsageError(what, facts, "choose another name, or move what is there")


def shown(path: Path) -> str:
    """A path as a person in this folder writes it: relative to it if it is inside."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _stage(path: Path, text: str, staged: dict[Path, Path]) -> None:
    """Write the text beside its place. `staged` says for each file, or highest new folder, where it is until then."""
    place = next((folder for folder in (*reversed(path.parents), path) if not folder.exists()), path)
    part = place.with_name(f".{place.name}{STAGED}")
    if place not in staged:
        _remove(part)
        staged[place] = part
    file = part / path.relative_to(place) if place != path else part
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    if path.exists():
        shutil.copymode(path, file)


def _move(staged: Mapping[Path, Path]) -> None:
    """Move everything to its place. If one move fails, those before it are undone."""
    before: dict[Path, bytes | None] = {}
    try:
        for place, part in staged.items():
            old = place.read_bytes() if place.is_file() else None
            part.replace(place)
            before[place] = old
    except BaseException:
        for place, old in before.items():
            _remove(place) if old is None else place.write_bytes(old)
        raise


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        with suppress(FileNotFoundError):
            place.unlink()


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            "The files could not be written, so nothing was changed.",
            [("where", shown(Path(error.filename or "."))), ("said", error.strerror or str(error))],
            "make the folder writable and free some space, then the same command",
        ) from error
