"""Parses the name of a port's version, which contains its table and its run (macro `new_version_name` creates it)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_NAME = re.compile(r"(?P<table>.+?)__(?P<began>\d{8}_\d{6})_(?P<run>[0-9a-f]{6})(?:__(?P<part>[a-z]+))?")


@dataclass(frozen=True)
class VersionName:
    """The parts of `lines__20261123_061400_ab12cd`: the port's table, when its run began (UTC), the start of its id.

    `part` is the suffix of a helper table of the run: `increment` in `lines__20261123_061400_ab12cd__increment`.
    """

    table: str
    began_at: datetime
    run: str
    part: str = ""


def parse_version_name(name: str) -> VersionName | None:
    """The parts of a version's name. None if it is not the name of a version."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    try:
        began_at = datetime.strptime(found["began"], "%Y%m%d_%H%M%S")
    except ValueError:
        return None
    return VersionName(found["table"], began_at, found["run"], found["part"] or "")
