"""The comments before a statement that say whose it is: dbt's (macros/mesh/query_comment.sql), and a port's step."""

from __future__ import annotations

import json
import re

COMMENTS = re.compile(r"(?:-- )?/\* (\{.*?\}) \*/(?:\s*/\* step: (\w+) \*/)?")


def purpose_of(sql: str) -> tuple[dict[str, str], str]:
    """The tags of a statement (run, node, port and others) and its step; no tags and no step where it says none."""
    found = COMMENTS.match(sql)
    return (json.loads(found.group(1)), found.group(2) or "") if found else ({}, "")
