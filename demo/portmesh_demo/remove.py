"""Takes the demonstration out of the repository: its folder, its domains, and every mention elsewhere.

A mention stands between two comments, `demonstration: begin` and `demonstration: end`, each alone on its line. Lists of
the domains and generated files are written again, in a copy of the repository, and checked there. Only then is the
repository changed: everything, or nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dbt.cli.main import dbtRunner

from portmesh.catalog.reading import FOLDER as PAGES
from portmesh.errors import FindingsError, MissingArtifactError, UsageError
from portmesh.generated import write_generated
from portmesh.scaffold.register import plan_lists, write_lists
from portmesh.scaffold.writing import write_all

FOLDER = "demo"
DOMAINS = ("catalogue", "customer_behaviour", "customers", "marketing", "orders")
COMMENT = r"^[ \t]*(?:#|<!--) demonstration: {}(?: -->)?\n"
BEGIN, END = COMMENT.format("begin"), COMMENT.format("end")
MENTION = re.compile(f"{BEGIN}.*?{END}", re.MULTILINE | re.DOTALL)
MARK = re.compile(f"{BEGIN}|{END}", re.MULTILINE)
ASIDE = ".demonstration.part"
"""Where folders and files are put before they are deleted."""


@dataclass(frozen=True)
class Removal:
    """What is removed from a repository: folders, files, and parts of the files in `texts`, which are rewritten."""

    root: Path
    folders: Sequence[str]
    files: Sequence[str]
    texts: Mapping[str, str]


def plan_removal(root: Path) -> Removal:
    """What has to change. Nothing is changed yet.

    Raises UsageError if git has changes that are not committed, MissingArtifactError if there is no demonstration, and
    FindingsError if something else reads one of its domains or a part of a file has no end.
    """
    tracked = _committed_files(root)
    folders = [f for f in (FOLDER, *(f"domains/{domain}" for domain in DOMAINS)) if (root / f).is_dir()]
    if FOLDER not in folders:
        raise MissingArtifactError("There is no demonstration here.", [("where", str(root)), ("missing", FOLDER)])
    stays = [name for name in tracked if not name.startswith(tuple(f"{folder}/" for folder in folders))]
    _assert_unread(root, stays)
    with TemporaryDirectory(prefix="portmesh-demo-") as temporary:
        copy = Path(temporary) / root.name
        _copy(root, copy, stays)
        for name, text in _without_mentions(root, stays).items():
            (copy / name).write_text(text, encoding="utf-8")
        with chdir(copy):
            _write_again(copy)
        return Removal(root, folders, [n for n in stays if not _is_there(copy / n)], dict(_changed(root, copy, stays)))


def remove(removal: Removal) -> None:
    """Change the repository. If something fails or is interrupted, everything is as it was."""
    root, aside = removal.root, removal.root / ASIDE
    links = [f"dbt_packages/{domain}" for domain in DOMAINS if _is_there(root / "dbt_packages" / domain)]
    with _undone_on_failure(root, aside) as put_aside:
        for name in (*removal.folders, *removal.files, *links):
            put_aside(name)
        write_all({root / name: text for name, text in removal.texts.items()}, replace=True)
    shutil.rmtree(aside)


@contextmanager
def _undone_on_failure(root: Path, aside: Path) -> Iterator[_PutAside]:
    moved = _PutAside(root, aside)
    try:
        yield moved
    except BaseException:
        moved.undo()
        raise


class _PutAside:
    """Moves folders and files of the repository aside, and back."""

    def __init__(self, root: Path, aside: Path) -> None:
        self._root, self._aside = root, aside
        self._names: list[str] = []

    def __call__(self, name: str) -> None:
        place = self._aside / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (self._root / name).rename(place)
        self._names.append(name)

    def undo(self) -> None:
        for name in reversed(self._names):
            (self._aside / name).rename(self._root / name)
        shutil.rmtree(self._aside, ignore_errors=True)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(
            "git cannot say what is committed here, so nothing was removed.",
            [("where", str(root)), ("git says", done.stderr.strip())],
            "run this in a clone of the repository",
        )
    return done.stdout


def _committed_files(root: Path) -> list[str]:
    """All files of the repository. Raises UsageError if some have changes that are not committed."""
    changed = _git(root, "status", "--porcelain").splitlines()
    if changed:
        raise UsageError(
            "There are changes that are not committed, so nothing was removed: git could not bring them back.",
            [("where", str(root)), ("changed", "\n".join(line[3:] for line in changed[:10]))],
            "commit or stash them, then: portmesh demo remove",
        )
    return [name for name in _git(root, "ls-files", "-z").split("\0") if name]


def _assert_unread(root: Path, stays: Sequence[str]) -> None:
    reads = re.compile(rf"\bref\(\s*['\"]({'|'.join(DOMAINS)})['\"]\s*,")
    found = {
        name: match[1]
        for name in stays
        if name.startswith("domains/") and (match := reads.search(_text(root / name) or ""))
    }
    if found:
        raise FindingsError(
            "Other domains read ports of the demonstration, so nothing was removed.",
            [(name, f"reads the domain {domain}") for name, domain in found.items()],
            "give these models other inputs, then: portmesh demo remove",
        )


def _copy(root: Path, copy: Path, names: Sequence[str]) -> None:
    for name in names:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, copy / name, follow_symlinks=False)


def _without_mentions(root: Path, names: Sequence[str]) -> dict[str, str]:
    """The texts that have parts about the demonstration, without these parts."""
    texts: dict[str, str] = {}
    for name in names:
        text = _text(root / name) or ""
        if MARK.search(text):
            texts[name] = MENTION.sub("", text)
    broken = [name for name, text in texts.items() if MARK.search(text)]
    if broken:
        raise FindingsError(
            "A part about the demonstration has no begin or no end, so nothing was removed.",
            [
                (name, "a comment `demonstration: begin` without a later `demonstration: end`, or the reverse")
                for name in broken
            ],
            "put the comment back, then: portmesh demo remove",
        )
    return texts


def _text(path: Path) -> str | None:
    """The text of a file; None for a link or a file that is not text."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def _write_again(copy: Path) -> None:
    """Write the lists of the domains, the catalog and the rights of what stays. dbt must be able to parse it."""
    write_lists(plan_lists(copy))
    installed = dbtRunner().invoke(["--quiet", "deps", "--project-dir", str(copy)])
    if not installed.success:
        facts = [("dbt says", str(installed.exception or "see above"))]
        raise FindingsError("dbt cannot link the domains that stay, so nothing was removed.", facts)
    write_generated(copy)


def _changed(root: Path, copy: Path, stays: Sequence[str]) -> Iterator[tuple[str, str]]:
    generated = [str(path.relative_to(copy)) for path in copy.glob(f"{PAGES}/*.md")]
    for name in sorted({*stays, *generated}):
        text = _text(copy / name)
        if text is not None and text != _text(root / name):
            yield name, text


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()
