"""The name of a version of a port, which tells its table and its run (macro `describe_port` makes it)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_NAME = re.compile(r"(?P<table>.+?)__(?P<began>\d{8}_\d{6})_(?P<run>[0-9a-f]{6})(?:__(?P<part>[a-z]+))?")


@dataclass(frozen=True)
class VersionName:
    """Of `lines__20261123_061400_ab12cd`: the port's table, when the run began (UTC), how its id begins.

    `part` is what a run makes beside the version itself: `increment` of `lines__20261123_061400_ab12cd__increment`.
    """

    table: str
    began_at: datetime
    run: str
    part: str = ""


def parse_version_name(name: str) -> VersionName | None:
    """What a version's name tells; None where it is the name of something else."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    try:
        began_at = datetime.strptime(found["began"], "%Y%m%d_%H%M%S")
    except ValueError:
        return None
    return VersionName(found["table"], began_at, found["run"], found["part"] or "")
