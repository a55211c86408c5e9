"""What may go wrong when a rig is made or run: one sentence that says how to fix it."""

from __future__ import annotations


class RigError(Exception):
    """An expected failure; its text is all that the command prints."""
