"""What a rule finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that breaks a rule.

    `where` is the file to change, relative to the repository's root; `line` is 0 if it is not known. `node` is the id
    of the resource in which an exemption stands. `about` says what of the node it is about, in words that stay the same
    when the texts are written anew: a baseline knows the finding by its code, node and `about`.
    """

    code: str
    where: str
    line: int
    what: str
    fix: str
    node: str
    about: str = ""

    @property
    def page(self) -> str:
        return f"docs/rules/{self.code}.md"

    @property
    def place(self) -> str:
        return f"{self.where}:{self.line}" if self.line else self.where

    @property
    def key(self) -> tuple[str, str, str]:
        """What a baseline knows it by."""
        return self.code, self.node, self.about
