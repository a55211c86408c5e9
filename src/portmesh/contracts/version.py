"""Which contract version a change of columns asks for.

The gate judges the same way (macros/output_port/changed_columns.sql).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

INTEGERS = ("tinyint", "smallint", "int", "bigint")
LEVELS = ("patch", "minor", "major")


def is_wider(old: str, new: str) -> bool:
    """Whether every value of the old type fits the new one, so that no reader breaks."""
    if (old, new) == ("float", "double"):
        return True
    if old in INTEGERS and new in INTEGERS:
        return INTEGERS.index(new) > INTEGERS.index(old)
    before, after = (re.fullmatch(r"decimal\((\d+), ?(\d+)\)", type_) for type_ in (old, new))
    return bool(before and after and before[2] == after[2] and int(after[1]) > int(before[1]))


def level_of(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """patch, minor or major: what the change from these columns and types to those does to consumers."""
    old, new = ({name.lower(): type_.replace(" ", "") for name, type_ in one.items()} for one in (before, after))
    if any(name not in new or (new[name] != type_ and not is_wider(type_, new[name])) for name, type_ in old.items()):
        return "major"
    return "patch" if old == new else "minor"


def next_version(version: str, level: str) -> str:
    """`1.2.3` and minor give `1.3.0`. Empty if the version is not three numbers."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        return ""
    numbers = [int(part) for part in version.split(".")]
    place = LEVELS[::-1].index(level)
    raised = [*numbers[:place], numbers[place] + 1, *(0 for _ in numbers[place + 1 :])]
    return ".".join(map(str, raised))


def is_at_least(version: str, wanted: str) -> bool:
    """Whether a version number has reached another one."""
    return [int(part) for part in version.split(".")] >= [int(part) for part in wanted.split(".")]
