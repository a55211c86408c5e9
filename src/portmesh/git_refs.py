"""Finds the commit that a branch is compared with, and checks it out into a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from portmesh.errors import MissingArtifactError, UsageError, did_you_mean


@dataclass(frozen=True)
class Base:
    """A commit to compare with. `name` is how people call it: `main (c37d537)`."""

    commit: str
    name: str


def find_base(root: Path, ref: str) -> Base:
    """The commit at which the current branch left `ref`; `ref` itself if it is not on another branch.

    So what others merged since then is not taken for a change of this branch.

    Raises UsageError outside a git repository or if there is no such ref, and MissingArtifactError if the checkout has
    too little history.
    """
    commit = _commit_of(root, ref) or _commit_of(root, f"origin/{ref}")
    if not commit:
        raise _not_found(root, ref)
    left_at = _git(root, "merge-base", commit, "HEAD").stdout.strip()
    if not left_at:
        facts = [("ref", f"{ref} ({commit[:7]})")]
        if _is_shallow(root):
            raise MissingArtifactError(
                f"This checkout has too little history to know where the branch left {ref}.", facts, FETCH_ALL
            )
        raise UsageError(
            f"{ref} and the current branch have no commit in common.", facts, "name another ref: --against"
        )
    return Base(left_at, f"{ref} ({left_at[:7]})")


FETCH_ALL = "git fetch --unshallow; with actions/checkout: fetch-depth: 0"


def describe_working_tree(root: Path) -> str:
    """`the working tree`, with its commit and how many files differ from it, as far as git knows."""
    found = describe_commit(root)
    return f"the working tree ({found})" if found else "the working tree"


def describe_commit(root: Path) -> str:
    """`c37d537 and 2 changed files`; outside git what PORTMESH_COMMIT says (a deployment sets it), else empty."""
    head = _commit_of(root, "HEAD") if shutil.which("git") else ""
    if not head:
        return os.environ.get("PORTMESH_COMMIT", "")[:7]
    changed = len(_git(root, "status", "--porcelain", "--", ".").stdout.splitlines())
    files = f" and {changed:,} changed {'file' if changed == 1 else 'files'}" if changed else ""
    return f"{head[:7]}{files}"


def has_file(root: Path, commit: str, name: str) -> bool:
    """Whether a commit has this file, or folder, in the mesh's folder."""
    return not _git(root, "cat-file", "-e", f"{commit}:./{name}").returncode


@contextmanager
def checked_out(root: Path, commit: str) -> Iterator[Path]:
    """The mesh's root at a commit, in a temporary git worktree that is gone at the end."""
    top = Path(_git(root, "rev-parse", "--show-toplevel").stdout.strip())
    with TemporaryDirectory(prefix="portmesh-") as folder:
        place = Path(folder).resolve() / "mesh"
        added = _git(root, "worktree", "add", "--quiet", "--detach", str(place), commit)
        if added.returncode:
            raise UsageError(
                "git cannot check out the commit to compare with.",
                [("commit", commit), ("said", added.stderr.strip())],
                "git worktree prune, then run this again",
            )
        try:
            yield place / root.resolve().relative_to(top.resolve())
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def _not_found(root: Path, ref: str) -> UsageError | MissingArtifactError:
    if _git(root, "rev-parse", "--git-dir").returncode:
        return UsageError(
            "This mesh is not in a git repository, so it has no earlier state.",
            [("where", str(root))],
            "name a manifest.json instead, or production: --against production",
        )
    refs = _git(root, "for-each-ref", "--format=%(refname:short)").stdout.split()
    message = f"git has no {ref!r}.{did_you_mean(ref, refs)}"
    facts = [("got", ref), ("allowed", "production, a branch, tag or commit, a manifest.json, or a folder with one")]
    if _is_shallow(root):
        return MissingArtifactError(message, [*facts, ("checkout", "shallow: it has only some commits")], FETCH_ALL)
    return UsageError(message, facts, f"git fetch origin {ref}, or name another: --against")


def _commit_of(root: Path, ref: str) -> str:
    return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").stdout.strip()


def _is_shallow(root: Path) -> bool:
    return _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise MissingArtifactError("git is not installed.", next_step="install git, then run this again") from error
