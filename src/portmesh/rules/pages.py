"""The page of a rule, whether dbt itself or `portmesh check` holds it."""

from __future__ import annotations

from pathlib import Path

from portmesh.errors import MissingArtifactError, not_allowed

FOLDER = "docs/rules"


def read_page(root: Path, code: str) -> str:
    """The text of docs/rules/<code>.md.

    Raises UsageError if there is no such rule, and MissingArtifactError without the folder.
    """
    pages = {file.stem: file for file in sorted((root / FOLDER).glob("PM*.md"))}
    if not pages:
        raise MissingArtifactError(
            "The pages of the rules are missing.", [("folder", FOLDER)], "git checkout, to get the folder again"
        )
    if code.upper() not in pages:
        raise not_allowed("rule", code, list(pages))
    return pages[code.upper()].read_text(encoding="utf-8")
