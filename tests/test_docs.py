"""The pages for readers: what they point at is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.mesh import REPOSITORY

CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def broken_links(page: Path) -> list[str]:
    """Links of a page to a file, or a heading of a page, that is not there."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", page.read_text(encoding="utf-8"))):
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        is_elsewhere = link.startswith(("http://", "https://", "mailto:"))
        if not is_elsewhere and (not target.exists() or (heading and heading not in headings(target))):
            found.append(link)
    return found


def headings(page: Path) -> set[str]:
    """As GitHub names them in links."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    pages = [REPOSITORY / name for name in listed.stdout.split() if not name.startswith("docs/catalog/")]
    assert len(pages) > 50
    assert {str(page.relative_to(REPOSITORY)): broken_links(page) for page in pages if broken_links(page)} == {}


def test_a_link_to_nothing_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n[x](#a-title) [y](#other) [z](gone.md) [w](page.md#a-title)\n```\n[v](code.md)\n```\n")
    assert broken_links(page) == ["#other", "gone.md"]
