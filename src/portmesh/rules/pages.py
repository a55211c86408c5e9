"""The page of a rule, whether dbt itself or `portmesh check` holds it."""

from __future__ import annotations

from pathlib import Path

from portmesh.errors import MissingArtifactError, not_allowed

FOLDER = "docs/rules"


def read_page(root: Path, code: str) -> str:
    """The text of docs/rules/<code>.md; of a rule on changes, its section of docs/rules/changes.md.

    Raises UsageError if there is no such rule, and MissingArtifactError without the folder.
    """
    pages = {file.stem: file.read_text(encoding="utf-8") for file in sorted((root / FOLDER).glob("PM*.md"))}
    if not pages:
        raise MissingArtifactError(
            "The pages of the rules are missing.", [("folder", FOLDER)], "git checkout, to get the folder again"
        )
    pages |= _on_changes(root / FOLDER / "changes.md")
    if code.upper() not in pages:
        raise not_allowed("rule", code, list(pages))
    return pages[code.upper()]


def _on_changes(page: Path) -> dict[str, str]:
    """The sections about rules on changes, by code."""
    sections = page.read_text(encoding="utf-8").split("\n## ")[1:] if page.is_file() else []
    return {section.partition("\n")[0]: f"# {section.strip()}\n" for section in sections}
