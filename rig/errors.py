"""Expected failures of the rig command, each with a message that says how to fix it."""

from __future__ import annotations


class RigError(Exception):
    """An expected failure. The command prints only its text."""
