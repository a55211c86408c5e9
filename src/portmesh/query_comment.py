"""Reads the comments before a statement: dbt's, from macros/mesh/query_comment.sql, and the step of a port."""

from __future__ import annotations

import json
import re

COMMENTS = re.compile(r"(?:-- )?/\* (\{.*?\}) \*/(?:\s*/\* step: (\w+) \*/)?")


def purpose_of(sql: str) -> tuple[dict[str, str], str]:
    """The tags of a statement (run, node, port and others) and its step. Both are empty without comments."""
    found = COMMENTS.match(sql)
    return (json.loads(found.group(1)), found.group(2) or "") if found else ({}, "")
