"""A file in the repository that is made from the mesh: written if it differs, or named if it should not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from portmesh.errors import FindingsError


@dataclass(frozen=True)
class MadeFile:
    """Where the file is, from the root, and what to say of one that differs: of which kind it is, and what is next."""

    path: Path
    fault: str
    differs: str
    next_step: str

    def is_up_to_date(self, root: Path, text: str) -> bool:
        """Whether the file has this text."""
        file = root / self.path
        return file.is_file() and file.read_text(encoding="utf-8") == text

    def update(self, root: Path, text: str) -> bool:
        """Write this text to the file, unless it has it. Returns whether it was written."""
        if self.is_up_to_date(root, text):
            return False
        (root / self.path).parent.mkdir(parents=True, exist_ok=True)
        (root / self.path).write_text(text, encoding="utf-8")
        return True

    def assert_up_to_date(self, root: Path, text: str) -> None:
        """Raise FindingsError if the file is missing or differs."""
        if not self.is_up_to_date(root, text):
            what = self.differs if (root / self.path).is_file() else "missing"
            raise FindingsError(f"{self.fault}: 1 finding.", [(str(self.path), what)], self.next_step)
