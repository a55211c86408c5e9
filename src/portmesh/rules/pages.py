"""The page of a rule, whoever holds it: dbt itself, `portmesh check` or `portmesh diff`."""

from __future__ import annotations

from pathlib import Path

from portmesh.errors import MissingArtifactError, UsageError, did_you_mean

FOLDER = "docs/rules"
CHANGES = "changes.md"
"""The rules on changes share a page, with a section for each."""


def read_page(root: Path, code: str) -> str:
    """The text of docs/rules/<code>.md, or of its section in changes.md.

    Raises UsageError if there is no such rule, and MissingArtifactError without the folder.
    """
    folder = root / FOLDER
    pages = {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("PM*.md"))}
    if (folder / CHANGES).is_file():
        sections = (folder / CHANGES).read_text(encoding="utf-8").split("\n## ")[1:]
        pages |= {text.splitlines()[0].strip(): f"# {text}" for text in sections if text.startswith("PM")}
    if not pages:
        raise MissingArtifactError(
            "The pages of the rules are missing.", [("folder", FOLDER)], "git checkout, to get the folder again"
        )
    if code.upper() not in pages:
        known = sorted(pages)
        facts = [("got", code), ("allowed", f"{known[0]} to {known[-1]}, with gaps")]
        near = did_you_mean(code.upper(), known, 0.8)
        next_step = f"{FOLDER}/README.md and {FOLDER}/{CHANGES} list all rules"
        raise UsageError(f"There is no rule {code!r}.{near}", facts, next_step)
    return pages[code.upper()]
