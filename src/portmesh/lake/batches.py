"""Names of batches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class BatchName:
    """A batch, written `<feed>/<batch_id>`."""

    feed: str
    batch_id: str

    def __str__(self) -> str:
        return f"{self.feed}/{self.batch_id}"
