"""The macros of a package that something calls, with those that they call in turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def called(ids: Iterable[str], macros: Mapping[str, Any], package: str) -> dict[str, str]:
    """Their text by id, in order, without differences in spaces."""
    found: dict[str, str] = {}
    waiting = list(ids)
    while waiting:
        if (id_ := waiting.pop()) not in found and id_.startswith(f"macro.{package}.") and id_ in macros:
            found[id_] = " ".join(macros[id_]["macro_sql"].split())
            waiting += (macros[id_].get("depends_on") or {}).get("macros") or ()
    return dict(sorted(found.items()))
