"""Name the platform's files that a company changed against the release it uses (docs/upgrading.md).

In a company's repository the remote `upstream` is Portmesh's own; without that remote there is nothing to compare. The
release is the tag of the version in dbt_project.yml. Parts that `portmesh register` writes, and parts between two
comments `<word>: begin` and `<word>: end` that were taken out as a whole, are no changes; nor is a folder that is gone.

Usage: python -m tools.lint_platform
Exit codes: 0 success, 1 findings, 2 wrong configuration, 3 the release's tag is missing.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from portmesh.errors import FindingsError, MissingArtifactError, PortmeshError, UsageError
from portmesh.scaffold.register import REGION
from portmesh.scaffold.yaml_files import read_mapping

ROOT = Path(__file__).resolve().parents[1]
UPSTREAM = "upstream"
REASONS = "platform-changes.yml"

YOURS: Mapping[str, str] = {
    "domains/": "your domains, with all that is in their folders",
    "docs/catalog/": "their pages, which `portmesh catalog` writes",
    "infra/domains.yaml": "their rights, which `portmesh infra` writes",
    "orchestration/dags/portmesh_schedule.json": "when they are built, which `portmesh schedule` writes",
    "CODEOWNERS": "who approves what",
    "README.md": "what your mesh is about",
    REASONS: "why you changed files of the platform, if you did",
}
"""What a company writes, or has written for it. All else is the platform's."""
NOT_YOURS = ("domains/platform/",)
"""What is the platform's although it is in one of these folders."""
PART = re.compile(r"^[^\n]*\b(\w+): begin\b[^\n]*\n.*?^[^\n]*\b\1: end\b[^\n]*\n", re.MULTILINE | re.DOTALL)


def is_yours(path: str) -> bool:
    return path.startswith(tuple(YOURS)) and not path.startswith(NOT_YOURS)


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False, errors="replace")
    if done.returncode:
        raise UsageError("git cannot compare this repository.", [("git says", done.stderr.strip())])
    return done.stdout


def release_of(root: Path) -> str:
    """The tag of the release that this repository uses. Raises MissingArtifactError if git does not have it."""
    tag = f"v{read_mapping(root, root / 'dbt_project.yml').get('version')}"
    if tag not in git(root, "tag", "--list", tag).splitlines():
        facts = [("dbt_project.yml", f"version {tag.removeprefix('v')}"), ("missing", f"the tag {tag}")]
        raise MissingArtifactError("The release is not in this clone.", facts, f"git fetch {UPSTREAM} --tags")
    return tag


def plain(text: str) -> str:
    """A text without what may differ from the release."""
    return PART.sub("", REGION.sub("", text)).rstrip("\n")


def changes(root: Path, tag: str) -> dict[str, str]:
    """The platform's files that differ from the release, each with how."""
    fields = git(root, "diff", "--name-status", "--no-renames", "-z", tag).split("\0")
    found = {}
    for status, path in zip(fields[::2], fields[1::2], strict=False):
        if status == "A" or is_yours(path):
            continue
        before = plain(git(root, "show", f"{tag}:{path}"))
        file = root / path
        if status == "D":
            if before and (root / path.partition("/")[0]).exists():
                found[path] = "deleted"
        elif plain(file.read_text(encoding="utf-8", errors="replace")) != before:
            found[path] = "changed"
    return found


def assert_unchanged(root: Path) -> str:
    """What was compared, in words. Raises FindingsError if files changed without a reason, or a reason is left over."""
    if UPSTREAM not in git(root, "remote").split():
        return f"There is no remote {UPSTREAM}, so there is no release to compare with."
    tag = release_of(root)
    found, reasons = changes(root, tag), read_mapping(root, root / REASONS) if (root / REASONS).is_file() else {}
    facts = [(path, what) for path, what in found.items() if not str(reasons.get(path) or "").strip()]
    facts += [(path, f"{REASONS} has a reason, but it is as in {tag}") for path in reasons if path not in found]
    if facts:
        raise FindingsError(
            f"The platform's files differ from {tag}: {len(facts)} finding{'' if len(facts) == 1 else 's'}.",
            facts,
            f"git checkout {tag} -- FILE; or say why in {REASONS}: FILE: reason (docs/upgrading.md)",
        )
    return f"The platform is as in {tag}: {len(found)} files changed, each with its reason."


def main() -> int:
    try:
        print(assert_unchanged(ROOT))
    except PortmeshError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
